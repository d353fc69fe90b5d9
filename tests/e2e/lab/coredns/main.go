// A stand-in for CoreDNS, which Debian does not package: what kubeadm's DNS add-on needs of it, done for real. It reads the
// Corefile that kubeadm wrote, watches Services through the API with the pod's own account, answers for their names, and
// sends every other question to the nameservers of the file that `forward` names. As with the original there is no start
// without such a nameserver. /health is on port 8080, /ready (once the Services are known) on 8181.
//
//	coredns -conf /etc/coredns/Corefile
//
// A real bundle carries the real CoreDNS. Built by ../build-kubernetes against what Kubernetes vendors.
package main

import (
	"flag"
	"fmt"
	"io/ioutil"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/miekg/dns"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
)

const ttl = 30 // seconds, as kubeadm's Corefile says

type server struct {
	domain   string // "cluster.local."
	forward  []string
	services listers.ServiceLister
}

func main() {
	conf := flag.String("conf", "Corefile", "the Corefile")
	flag.Parse()
	if err := run(*conf); err != nil {
		log.Fatal("coredns: ", err)
	}
}

func run(conf string) error {
	domain, resolvConf, err := readCorefile(conf)
	if err != nil {
		return err
	}
	resolver, err := dns.ClientConfigFromFile(resolvConf)
	if err != nil {
		return err
	}
	if len(resolver.Servers) == 0 {
		return fmt.Errorf("no nameserver in %s", resolvConf)
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	services := factory.Core().V1().Services()
	synced := services.Informer().HasSynced
	factory.Start(make(chan struct{}))
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") })
	ready := http.NewServeMux()
	ready.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !synced() {
			http.Error(w, "kubernetes", http.StatusServiceUnavailable)
		}
	})
	s := &server{domain: dns.Fqdn(domain), services: services.Lister()}
	for _, address := range resolver.Servers {
		s.forward = append(s.forward, net.JoinHostPort(address, resolver.Port))
	}
	failed := make(chan error)
	go func() { failed <- http.ListenAndServe(":8080", nil) }()
	go func() { failed <- http.ListenAndServe(":8181", ready) }()
	for _, network := range []string{"udp", "tcp"} {
		listener := &dns.Server{Addr: ":53", Net: network, Handler: s}
		go func() { failed <- listener.ListenAndServe() }()
	}
	return <-failed
}

// readCorefile finds the domain after `kubernetes` and the file after `forward .`.
func readCorefile(path string) (domain, resolvConf string, err error) {
	text, err := ioutil.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] == "kubernetes" {
			domain = words[1]
		} else if len(words) > 2 && words[0] == "forward" {
			resolvConf = words[2]
		}
	}
	if domain == "" || resolvConf == "" {
		return "", "", fmt.Errorf("%s has no kubernetes or no forward", path)
	}
	return domain, resolvConf, nil
}

func (s *server) ServeDNS(writer dns.ResponseWriter, request *dns.Msg) {
	if len(request.Question) != 1 {
		dns.HandleFailed(writer, request)
		return
	}
	question := request.Question[0]
	name := strings.ToLower(question.Name)
	if !dns.IsSubDomain(s.domain, name) {
		s.ask(writer, request)
		return
	}
	answer := new(dns.Msg).SetReply(request)
	answer.Authoritative = true
	address := s.addressOf(strings.TrimSuffix(name, "."+s.domain))
	if address == nil {
		answer.Rcode = dns.RcodeNameError
	} else if ipv4 := address.To4(); ipv4 != nil && question.Qtype == dns.TypeA {
		header := dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}
		answer.Answer = []dns.RR{&dns.A{Hdr: header, A: ipv4}}
	}
	writer.WriteMsg(answer)
}

// addressOf takes "web.default.svc" to the Service's address; nil where there is none.
func (s *server) addressOf(name string) net.IP {
	labels := strings.Split(name, ".")
	if len(labels) != 3 || labels[2] != "svc" {
		return nil
	}
	service, err := s.services.Services(labels[1]).Get(labels[0])
	if err != nil {
		return nil
	}
	return net.ParseIP(service.Spec.ClusterIP)
}

func (s *server) ask(writer dns.ResponseWriter, request *dns.Msg) {
	client := &dns.Client{Timeout: 2 * time.Second}
	for _, address := range s.forward {
		if answer, _, err := client.Exchange(request, address); err == nil {
			writer.WriteMsg(answer)
			return
		}
	}
	dns.HandleFailed(writer, request)
}
