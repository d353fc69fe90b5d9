// A stand-in for the crictl release of cri-tools, which Debian 12 does not package. It speaks the real CRI over
// containerd's socket, so a pull goes through containerd's CRI plugin and its hosts.toml as with the original. It has
// the verbs, flags and output shapes that kubeadm 1.20, kubelet operators and Sealift use, and nothing else:
//
//	crictl [-r SOCKET] [-i SOCKET] [-t DURATION] [-D] VERB
//	info | version | pull IMAGE | inspecti IMAGE | images | rmi IMAGE... | runp FILE | pods | ps | stopp ID... |
//	rmp [-f] ID... | stop [-t SECONDS] ID... | rm [-f] ID... | logs ID
//
// As the original it asks version 1 of the CRI first, which is all that containerd 2 knows, and v1alpha2, the same messages
// under another name, where there is none.
//
// A real bundle carries the real crictl. Built by ../build-kubernetes against the cri-api vendored by Kubernetes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/ioutil"
	"net"
	"os"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
)

const (
	configFile      = "/etc/crictl.yaml"
	defaultEndpoint = "unix:///run/containerd/containerd.sock"
	maxMessageBytes = 16 << 20
)

type client struct {
	context context.Context
	runtime cri.RuntimeServiceClient
	image   cri.ImageServiceClient
}

type verb func(c *client, arguments []string) error

var verbs = map[string]verb{
	"info": info, "version": version, "pull": pull, "inspecti": inspectImages, "images": images, "rmi": removeImages,
	"runp": runPod, "pods": pods, "ps": containers, "stopp": stopPods, "rmp": removePods, "stop": stopContainers, "rm": removeContainers,
	"logs": logs,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crictl:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	settings := readConfig(configFile)
	flags := flag.NewFlagSet("crictl", flag.ContinueOnError)
	runtimeEndpoint := settings["runtime-endpoint"]
	imageEndpoint := settings["image-endpoint"]
	timeout := 10 * time.Minute
	debug := false
	for _, name := range []string{"r", "runtime-endpoint"} {
		flags.StringVar(&runtimeEndpoint, name, runtimeEndpoint, "socket of the runtime service")
	}
	for _, name := range []string{"i", "image-endpoint"} {
		flags.StringVar(&imageEndpoint, name, imageEndpoint, "socket of the image service")
	}
	for _, name := range []string{"t", "timeout"} {
		flags.Var(durationFlag{&timeout}, name, "deadline of the whole command: 10s, or seconds")
	}
	for _, name := range []string{"D", "debug"} {
		flags.BoolVar(&debug, name, false, "accepted and ignored")
	}
	showVersion := flags.Bool("version", false, "print the version")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *showVersion {
		fmt.Println("crictl version v1.20.0")
		return nil
	}
	if flags.NArg() == 0 {
		return fmt.Errorf("no verb given; one of info version pull inspecti images rmi runp pods ps stopp rmp stop rm logs")
	}
	action, known := verbs[flags.Arg(0)]
	if !known {
		return fmt.Errorf("this stand-in has no verb %q", flags.Arg(0))
	}
	if runtimeEndpoint == "" {
		runtimeEndpoint = defaultEndpoint
	}
	if imageEndpoint == "" {
		imageEndpoint = runtimeEndpoint
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	runtimeConnection, err := connect(runtimeEndpoint)
	if err != nil {
		return err
	}
	imageConnection, err := connect(imageEndpoint)
	if err != nil {
		return err
	}
	return action(&client{ctx, cri.NewRuntimeServiceClient(runtimeConnection), cri.NewImageServiceClient(imageConnection)},
		flags.Args()[1:])
}

// durationFlag reads "10s" and, as crictl does, a bare number of seconds.
type durationFlag struct{ value *time.Duration }

func (d durationFlag) String() string { return "" }
func (d durationFlag) Set(text string) error {
	if !strings.ContainsAny(text, "hms") {
		text += "s"
	}
	value, err := time.ParseDuration(text)
	*d.value = value
	return err
}

// readConfig reads the flat "key: value" lines of crictl.yaml; a missing file is an empty one.
func readConfig(path string) map[string]string {
	settings := map[string]string{}
	text, _ := ioutil.ReadFile(path)
	for _, line := range strings.Split(string(text), "\n") {
		if parts := strings.SplitN(line, ":", 2); len(parts) == 2 && !strings.HasPrefix(line, "#") {
			settings[strings.TrimSpace(parts[0])] = strings.Trim(strings.TrimSpace(parts[1]), `"'`)
		}
	}
	return settings
}

func connect(endpoint string) (*grpc.ClientConn, error) {
	path := strings.TrimPrefix(endpoint, "unix://")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	connection, err := grpc.DialContext(ctx, path, grpc.WithInsecure(), grpc.WithBlock(), grpc.WithUnaryInterceptor(newestVersion),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes)),
		grpc.WithContextDialer(func(ctx context.Context, path string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}))
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the runtime at %s: %v", endpoint, err)
	}
	return connection, nil
}

func newestVersion(ctx context.Context, method string, request, answer interface{}, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	err := invoke(ctx, strings.Replace(method, ".v1alpha2.", ".v1.", 1), request, answer, connection, options...)
	if status.Code(err) == codes.Unimplemented {
		return invoke(ctx, method, request, answer, connection, options...)
	}
	return err
}

// toJSON turns a message into what the original prints: field names in camelCase, empty fields present, enumerations
// by name and 64-bit numbers as strings. (The protobuf package for this is not in the vendored tree.)
func toJSON(value reflect.Value) interface{} {
	switch value.Kind() {
	case reflect.Ptr:
		if value.IsNil() {
			return nil
		}
		return toJSON(value.Elem())
	case reflect.Struct:
		fields := map[string]interface{}{}
		for i := 0; i < value.NumField(); i++ {
			if name := jsonName(value.Type().Field(i).Tag.Get("protobuf")); name != "" {
				fields[name] = toJSON(value.Field(i))
			}
		}
		return fields
	case reflect.Slice:
		items := []interface{}{}
		for i := 0; i < value.Len(); i++ {
			items = append(items, toJSON(value.Index(i)))
		}
		return items
	case reflect.Map:
		items := map[string]interface{}{}
		for _, key := range value.MapKeys() {
			items[fmt.Sprint(key)] = toJSON(value.MapIndex(key))
		}
		return items
	case reflect.Int64, reflect.Uint64:
		return fmt.Sprint(value)
	case reflect.Int32:
		if name, isEnumeration := value.Interface().(fmt.Stringer); isEnumeration {
			return name.String()
		}
	}
	return value.Interface()
}

// jsonName reads a field's name from its protobuf tag: "json=" where it differs from "name=".
func jsonName(tag string) (name string) {
	for _, part := range strings.Split(tag, ",") {
		if strings.HasPrefix(part, "json=") {
			return strings.TrimPrefix(part, "json=")
		} else if strings.HasPrefix(part, "name=") {
			name = strings.TrimPrefix(part, "name=")
		}
	}
	return name
}

func printJSON(value interface{}) error {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func printMessage(message interface{}) error {
	return printJSON(toJSON(reflect.ValueOf(message)))
}

// withInfo adds the "info" of a verbose answer, whose values are JSON texts, to its status.
func withInfo(status interface{}, info map[string]string) error {
	result := map[string]interface{}{"status": toJSON(reflect.ValueOf(status))}
	for key, text := range info {
		var value interface{}
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		result[key] = value
	}
	return printJSON(result)
}

func info(c *client, _ []string) error {
	answer, err := c.runtime.Status(c.context, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return fmt.Errorf("getting status of runtime: %v", err)
	}
	return withInfo(answer.Status, answer.Info)
}

func version(c *client, _ []string) error {
	answer, err := c.runtime.Version(c.context, &cri.VersionRequest{})
	if err != nil {
		return fmt.Errorf("getting the runtime version: %v", err)
	}
	fmt.Printf("Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n", answer.Version,
		answer.RuntimeName, answer.RuntimeVersion, answer.RuntimeApiVersion)
	return nil
}

func pull(c *client, arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("pull takes one image, got %d", len(arguments))
	}
	answer, err := c.image.PullImage(c.context, &cri.PullImageRequest{Image: &cri.ImageSpec{Image: arguments[0]}})
	if err != nil {
		return fmt.Errorf("pulling image: %v", err)
	}
	fmt.Printf("Image is up to date for %s\n", answer.ImageRef)
	return nil
}

// listFlags are what the listing verbs share.
type listFlags struct {
	all, quiet, noTrunc bool
	output, name, label string
	rest                []string
}

func parseList(verb string, arguments []string) (*listFlags, error) {
	l := &listFlags{}
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	for _, name := range []string{"a", "all"} {
		flags.BoolVar(&l.all, name, false, "stopped ones too")
	}
	for _, name := range []string{"q", "quiet"} {
		flags.BoolVar(&l.quiet, name, false, "ids only")
	}
	for _, name := range []string{"o", "output"} {
		flags.StringVar(&l.output, name, "table", "table or json")
	}
	flags.BoolVar(&l.noTrunc, "no-trunc", false, "whole ids")
	flags.BoolVar(&l.noTrunc, "digests", false, "accepted: digests are always listed")
	flags.StringVar(&l.name, "name", "", "only those whose name contains this")
	flags.StringVar(&l.label, "label", "", "only those with this key=value")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if l.output != "table" && l.output != "json" {
		return nil, fmt.Errorf("%s: output %q is neither table nor json", verb, l.output)
	}
	l.rest = flags.Args()
	return l, nil
}

func (l *listFlags) labels() map[string]string {
	if parts := strings.SplitN(l.label, "=", 2); len(parts) == 2 {
		return map[string]string{parts[0]: parts[1]}
	}
	return nil
}

func (l *listFlags) id(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	if !l.noTrunc && !l.quiet && len(id) > 13 {
		return id[:13]
	}
	return id
}

// table prints the ids alone when asked for, otherwise a heading and rows; the first column is the id.
func (l *listFlags) table(heading string, rows [][]string) error {
	writer := tabwriter.NewWriter(os.Stdout, 0, 8, 3, ' ', 0)
	if !l.quiet {
		fmt.Fprintln(writer, heading)
	}
	for _, row := range rows {
		if l.quiet {
			row = row[:1]
		}
		fmt.Fprintln(writer, strings.Join(row, "\t"))
	}
	return writer.Flush()
}

func inspectImages(c *client, arguments []string) error {
	list, err := parseList("inspecti", arguments)
	if err != nil {
		return err
	}
	for _, name := range list.rest {
		answer, err := c.image.ImageStatus(c.context, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}, Verbose: true})
		if err != nil {
			return fmt.Errorf("getting image status: %v", err)
		}
		if answer.Image == nil {
			return fmt.Errorf("no such image %q present", name)
		}
		if err := withInfo(answer.Image, answer.Info); err != nil {
			return err
		}
	}
	return nil
}

func images(c *client, arguments []string) error {
	list, err := parseList("images", arguments)
	if err != nil {
		return err
	}
	request := &cri.ListImagesRequest{}
	if len(list.rest) == 1 {
		request.Filter = &cri.ImageFilter{Image: &cri.ImageSpec{Image: list.rest[0]}}
	}
	answer, err := c.image.ListImages(c.context, request)
	if err != nil {
		return fmt.Errorf("listing images: %v", err)
	}
	if list.output == "json" {
		return printMessage(answer)
	}
	rows := [][]string{}
	for _, image := range answer.Images {
		rows = append(rows, []string{list.id(image.Id), strings.Join(image.RepoTags, ","), strings.Join(image.RepoDigests, ","),
			fmt.Sprint(image.Size_)})
	}
	return list.table("IMAGE ID\tTAGS\tDIGESTS\tSIZE", rows)
}

func removeImages(c *client, arguments []string) error {
	return each(arguments, "Deleted: ", func(name string) error {
		_, err := c.image.RemoveImage(c.context, &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: name}})
		return err
	})
}

func runPod(c *client, arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("runp takes one file, got %d", len(arguments))
	}
	text, err := ioutil.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	config := &cri.PodSandboxConfig{}
	if err := json.Unmarshal(text, config); err != nil {
		return fmt.Errorf("%s: %v", arguments[0], err)
	}
	answer, err := c.runtime.RunPodSandbox(c.context, &cri.RunPodSandboxRequest{Config: config})
	if err != nil {
		return fmt.Errorf("running pod sandbox: %v", err)
	}
	fmt.Println(answer.PodSandboxId)
	return nil
}

func pods(c *client, arguments []string) error {
	list, err := parseList("pods", arguments)
	if err != nil {
		return err
	}
	answer, err := c.runtime.ListPodSandbox(c.context,
		&cri.ListPodSandboxRequest{Filter: &cri.PodSandboxFilter{LabelSelector: list.labels()}})
	if err != nil {
		return fmt.Errorf("listing pod sandboxes: %v", err)
	}
	if list.output == "json" {
		return printMessage(answer)
	}
	rows := [][]string{}
	for _, pod := range answer.Items {
		if strings.Contains(pod.Metadata.Name, list.name) {
			rows = append(rows, []string{list.id(pod.Id), pod.State.String(), pod.Metadata.Namespace, pod.Metadata.Name})
		}
	}
	return list.table("POD ID\tSTATE\tNAMESPACE\tNAME", rows)
}

func containers(c *client, arguments []string) error {
	list, err := parseList("ps", arguments)
	if err != nil {
		return err
	}
	filter := &cri.ContainerFilter{LabelSelector: list.labels()}
	if !list.all {
		filter.State = &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}
	}
	answer, err := c.runtime.ListContainers(c.context, &cri.ListContainersRequest{Filter: filter})
	if err != nil {
		return fmt.Errorf("listing containers: %v", err)
	}
	if list.output == "json" {
		return printMessage(answer)
	}
	rows := [][]string{}
	for _, container := range answer.Containers {
		if strings.Contains(container.Metadata.Name, list.name) {
			rows = append(rows, []string{list.id(container.Id), container.State.String(), container.Metadata.Name,
				fmt.Sprint(container.Metadata.Attempt), container.Image.Image})
		}
	}
	return list.table("CONTAINER\tSTATE\tNAME\tATTEMPT\tIMAGE", rows)
}

// each applies an action to every argument, goes on after a failure and reports the first one.
func each(arguments []string, done string, action func(string) error) error {
	var first error
	for _, argument := range arguments {
		err := action(argument)
		if err == nil {
			fmt.Println(done + argument)
		} else if first == nil {
			first = fmt.Errorf("%s: %v", argument, err)
		}
	}
	return first
}

// parseForce reads -f/--force and -t/--timeout, which may precede the ids.
func parseForce(verb string, arguments []string) (force bool, seconds int64, ids []string, err error) {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	for _, name := range []string{"f", "force"} {
		flags.BoolVar(&force, name, false, "stop it first")
	}
	for _, name := range []string{"t", "timeout"} {
		flags.Int64Var(&seconds, name, 0, "seconds until it is killed")
	}
	err = flags.Parse(arguments)
	return force, seconds, flags.Args(), err
}

func stopPods(c *client, arguments []string) error {
	return each(arguments, "Stopped sandbox ", func(id string) error {
		_, err := c.runtime.StopPodSandbox(c.context, &cri.StopPodSandboxRequest{PodSandboxId: id})
		return err
	})
}

func removePods(c *client, arguments []string) error {
	force, _, ids, err := parseForce("rmp", arguments)
	if err != nil {
		return err
	}
	return each(ids, "Removed sandbox ", func(id string) error {
		if force {
			if _, err := c.runtime.StopPodSandbox(c.context, &cri.StopPodSandboxRequest{PodSandboxId: id}); err != nil {
				return err
			}
		}
		_, err := c.runtime.RemovePodSandbox(c.context, &cri.RemovePodSandboxRequest{PodSandboxId: id})
		return err
	})
}

func stopContainers(c *client, arguments []string) error {
	_, seconds, ids, err := parseForce("stop", arguments)
	if err != nil {
		return err
	}
	return each(ids, "", func(id string) error {
		_, err := c.runtime.StopContainer(c.context, &cri.StopContainerRequest{ContainerId: id, Timeout: seconds})
		return err
	})
}

func removeContainers(c *client, arguments []string) error {
	force, _, ids, err := parseForce("rm", arguments)
	if err != nil {
		return err
	}
	return each(ids, "", func(id string) error {
		if force {
			if _, err := c.runtime.StopContainer(c.context, &cri.StopContainerRequest{ContainerId: id}); err != nil {
				return err
			}
		}
		_, err := c.runtime.RemoveContainer(c.context, &cri.RemoveContainerRequest{ContainerId: id})
		return err
	})
}

// logs prints the container's log file without the CRI prefix of each line (time, stream, tag).
func logs(c *client, arguments []string) error {
	_, _, ids, err := parseForce("logs", arguments)
	if err != nil || len(ids) != 1 {
		return fmt.Errorf("logs takes one container id")
	}
	answer, err := c.runtime.ContainerStatus(c.context, &cri.ContainerStatusRequest{ContainerId: ids[0]})
	if err != nil {
		return err
	}
	file, err := os.Open(answer.Status.LogPath)
	if err != nil {
		return err
	}
	defer file.Close()
	for reader := bufio.NewReader(file); ; {
		line, err := reader.ReadString('\n')
		if parts := strings.SplitN(line, " ", 4); len(parts) == 4 {
			fmt.Print(parts[3])
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
