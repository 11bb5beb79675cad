// Reads docker-compose.yml with the reader of Docker Compose 2, and looks at what every service here keeps to.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	complaints, services, err := read(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, complaint := range complaints {
		fmt.Println(complaint)
	}
	if len(complaints) > 0 || services == 0 {
		os.Exit(1)
	}
	fmt.Printf("Docker Compose 2's reader takes the composition: %d services\n", services)
}

func read(path string) ([]string, int, error) {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithName("beltwatch"))
	if err != nil {
		return nil, 0, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, 0, err
	}
	var complaints []string
	for name, service := range project.Services {
		for _, complaint := range judge(service) {
			complaints = append(complaints, name+": "+complaint)
		}
	}
	return complaints, len(project.Services), nil
}

func judge(service types.ServiceConfig) []string {
	var found []string
	complain := func(is bool, words string) {
		if is {
			found = append(found, words)
		}
	}
	complain(!service.ReadOnly, "its root can be written to")
	complain(len(service.CapDrop) != 1 || service.CapDrop[0] != "ALL", "it keeps capabilities")
	complain(len(service.SecurityOpt) != 1 || service.SecurityOpt[0] != "no-new-privileges:true", "it can get more privileges")
	complain(service.User == "" || strings.HasPrefix(service.User, "0"), "it may be root")
	complain(service.MemLimit == 0 || service.PidsLimit == 0, "its memory or its processes have no bound")
	complain(service.Restart == "", "nobody starts it again")
	complain(service.HealthCheck == nil, "nobody looks at its health")
	complain(service.Privileged || service.NetworkMode == "host", "it is privileged or in the host's network")
	complain(!strings.Contains(service.Image, ":") || strings.HasSuffix(service.Image, ":latest"), "its image has no version")
	for _, port := range service.Ports {
		complain(port.HostIP != "127.0.0.1", "a port is published beyond loopback")
	}
	for key, value := range service.Environment {
		lower := strings.ToLower(key)
		secret := strings.Contains(lower, "password") || strings.Contains(lower, "token") || strings.Contains(lower, "secret")
		complain(secret && value != nil && !strings.HasPrefix(*value, "/"), key+" holds a secret itself, not its file")
	}
	return found
}
