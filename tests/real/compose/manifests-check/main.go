// Reads Kubernetes manifests strictly into the types of the API itself: an unknown field, a wrong kind of value or an
// unknown object is an error. Then looks at the rules that every workload here keeps to.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

type found struct {
	complaints []string
	pods       []core.PodTemplateSpec
	services   []core.Service
	policies   []networking.NetworkPolicy
	objects    int
}

func main() {
	var all found
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			all.complain("%v", err)
			continue
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			if len(bytes.TrimSpace(document)) > 0 {
				all.read(path, document)
			}
		}
	}
	all.compare()
	for _, complaint := range all.complaints {
		fmt.Println(complaint)
	}
	if len(all.complaints) > 0 || all.objects == 0 {
		os.Exit(1)
	}
	fmt.Printf("%d objects are as the API's types have them\n", all.objects)
}

func (f *found) complain(format string, values ...any) {
	f.complaints = append(f.complaints, fmt.Sprintf(format, values...))
}

func (f *found) read(path string, document []byte) {
	var kind meta.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		f.complain("%s: %v", path, err)
		return
	}
	f.objects++
	strict := func(object any) bool {
		err := yaml.UnmarshalStrict(document, object)
		if err != nil {
			f.complain("%s: %s: %v", path, kind.Kind, err)
		}
		return err == nil
	}
	switch kind.APIVersion + " " + kind.Kind {
	case "v1 Namespace":
		strict(&core.Namespace{})
	case "v1 ConfigMap":
		strict(&core.ConfigMap{})
	case "v1 Service":
		var service core.Service
		if strict(&service) {
			f.services = append(f.services, service)
		}
	case "networking.k8s.io/v1 NetworkPolicy":
		var policy networking.NetworkPolicy
		if strict(&policy) {
			f.policies = append(f.policies, policy)
		}
	case "apps/v1 StatefulSet":
		var set apps.StatefulSet
		if strict(&set) {
			f.pods = append(f.pods, set.Spec.Template)
			f.workload(path, set)
		}
	default:
		f.complain("%s: %s %s is not known here", path, kind.APIVersion, kind.Kind)
	}
}

// What a StatefulSet must have to be safe to run, beside what its types say.
func (f *found) workload(path string, set apps.StatefulSet) {
	name := path + ": " + set.Name
	for _, reason := range validation.IsDNS1123Label(set.Name) {
		f.complain("%s: %s", name, reason)
	}
	selector, err := meta.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil || !selector.Matches(labels.Set(set.Spec.Template.Labels)) {
		f.complain("%s: its selector does not choose its pods", name)
	}
	pod := set.Spec.Template.Spec
	context := pod.SecurityContext
	if context == nil || context.RunAsNonRoot == nil || !*context.RunAsNonRoot || context.SeccompProfile == nil {
		f.complain("%s: it may run as root or without seccomp", name)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		f.complain("%s: it has a token for the cluster", name)
	}
	volumes := map[string]bool{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = true
	}
	for _, claim := range set.Spec.VolumeClaimTemplates {
		volumes[claim.Name] = true
	}
	for _, container := range append(append([]core.Container{}, pod.InitContainers...), pod.Containers...) {
		f.container(name+": "+container.Name, container, volumes)
	}
	for _, container := range pod.Containers {
		if container.StartupProbe == nil {
			f.complain("%s: %s has no startup probe", name, container.Name)
		}
	}
}

func (f *found) container(name string, container core.Container, volumes map[string]bool) {
	context := container.SecurityContext
	switch {
	case context == nil:
		f.complain("%s: no security context", name)
	case context.ReadOnlyRootFilesystem == nil || !*context.ReadOnlyRootFilesystem:
		f.complain("%s: its root can be written to", name)
	case context.AllowPrivilegeEscalation == nil || *context.AllowPrivilegeEscalation:
		f.complain("%s: it can get more privileges", name)
	case context.Capabilities == nil || len(context.Capabilities.Drop) != 1 || context.Capabilities.Drop[0] != "ALL":
		f.complain("%s: it keeps capabilities", name)
	}
	if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Memory().IsZero() {
		f.complain("%s: its memory has no bounds", name)
	}
	if !strings.Contains(container.Image, ":") || strings.HasSuffix(container.Image, ":latest") {
		f.complain("%s: image %q has no version", name, container.Image)
	}
	for _, mount := range container.VolumeMounts {
		if !volumes[mount.Name] {
			f.complain("%s: there is no volume %s", name, mount.Name)
		}
	}
	ports := map[string]bool{}
	for _, port := range container.Ports {
		ports[port.Name] = true
	}
	for _, probe := range []*core.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
		if probe == nil {
			continue
		}
		port := ""
		if probe.HTTPGet != nil {
			port = probe.HTTPGet.Port.StrVal
		}
		if probe.TCPSocket != nil {
			port = probe.TCPSocket.Port.StrVal
		}
		if !ports[port] {
			f.complain("%s: a probe asks port %q, which it does not have", name, port)
		}
	}
}

// What one object says of others.
func (f *found) compare() {
	chosen := func(selector map[string]string) *core.PodTemplateSpec {
		for i := range f.pods {
			if labels.SelectorFromSet(selector).Matches(labels.Set(f.pods[i].Labels)) {
				return &f.pods[i]
			}
		}
		return nil
	}
	for _, service := range f.services {
		pod := chosen(service.Spec.Selector)
		if pod == nil {
			f.complain("service %s chooses no pod", service.Name)
			continue
		}
		for _, port := range service.Spec.Ports {
			has := false
			for _, container := range pod.Spec.Containers {
				for _, own := range container.Ports {
					has = has || own.Name == port.TargetPort.StrVal
				}
			}
			if !has {
				f.complain("service %s: no container has the port %s", service.Name, port.TargetPort.StrVal)
			}
		}
	}
	for _, policy := range f.policies {
		if len(policy.Spec.PodSelector.MatchLabels) > 0 && chosen(policy.Spec.PodSelector.MatchLabels) == nil {
			f.complain("policy %s is for no pod", policy.Name)
		}
	}
}
