//go:build tools

// Package tools names the program that tests/real/build-influxd builds.
package tools

import _ "github.com/influxdata/influxdb/v2/cmd/influxd"
