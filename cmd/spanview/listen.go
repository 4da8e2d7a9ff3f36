package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/traceview"
)

// group is everything that listens.
type group struct {
	web   []webServer
	grpc  *grpc.Server
	rpc   []net.Listener
	udp   []*agent
	lines []string // what is said at the start
	lost  atomic.Int64
	wg    sync.WaitGroup
}

type webServer struct {
	*http.Server
	listener net.Listener
}

// port is one flag, what it is for, and what serves it.
type port struct {
	flag, title, value, path string
	handler                  http.Handler // nil for gRPC and UDP
}

// listen binds every port before the first is served, so that one that is taken stops the start.
func listen(s settings, view *traceview.View, hosts *hosts) (_ *group, err error) {
	g := &group{}
	defer func() {
		if err != nil {
			g.stop()
		}
	}()
	cors := newCORS(list(s.cors))
	for _, p := range []port{
		{"page", "page", s.page, "", view},
		{"otlp-http", "OTLP over HTTP", s.otlpHTTP, "", cors.wrap(only(view, "/v1/traces", advice))},
		{"jaeger-http", "Jaeger thrift over HTTP", s.jaegerHTTP, "/api/traces", cors.wrap(collectorOf(view))},
		{"jaeger-sampling", "Jaeger sampling", s.sampling, "/sampling", strategies()},
		{"zipkin", "Zipkin JSON over HTTP", s.zip, "/api/v2/spans", cors.wrap(zipkinOf(view))},
	} {
		p.handler = hosts.wrap(p.handler)
		if err := g.listenWeb(s.host, p); err != nil {
			return g, err
		}
	}
	rpc := port{flag: "otlp-grpc", title: "OTLP over gRPC", value: s.otlpGRPC}
	if g.rpc, err = bind(s.host, rpc, listenTCP); err != nil {
		return g, err
	}
	if len(g.rpc) > 0 {
		g.grpc = newGRPC(view, hosts)
		g.addLine(rpc.title, "http://"+shown(s.host, g.rpc[0].Addr()))
	}
	for _, p := range []port{
		{flag: "jaeger-compact", title: "Jaeger agent, compact", value: s.compact},
		{flag: "jaeger-binary", title: "Jaeger agent, binary", value: s.bin},
	} {
		if err := g.listenAgent(s.host, p, view); err != nil {
			return g, err
		}
	}
	if len(g.web)+len(g.rpc)+len(g.udp) == 0 {
		return g, errors.New("every port is off")
	}
	return g, nil
}

// listenWeb binds a port of HTTP.
func (g *group) listenWeb(host string, p port) error {
	listeners, err := bind(host, p, listenTCP)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		g.web = append(g.web, webServer{newServer(p.handler), newLimited(l)})
	}
	if len(listeners) > 0 {
		g.addLine(p.title, "http://"+shown(host, listeners[0].Addr())+p.path)
	}
	return nil
}

// listenAgent binds a port of Jaeger's agent.
func (g *group) listenAgent(host string, p port, view *traceview.View) error {
	conns, err := bind(host, p, listenUDP)
	if err != nil {
		return err
	}
	for _, conn := range conns {
		g.udp = append(g.udp, newAgent(conn, view, &g.lost))
	}
	if len(conns) > 0 {
		g.addLine(p.title, "udp://"+shown(host, conns[0].LocalAddr()))
	}
	return nil
}

// addLine adds a line of what is printed at the start.
func (g *group) addLine(title, url string) {
	g.lines = append(g.lines, fmt.Sprintf("%-24s %s", title, url))
}

// bind listens on the port of one flag: on both loopback addresses for localhost, since clients try either first.
func bind[L interface{ Close() error }](host string, p port, listen func(addr string) (L, error)) (out []L, err error) {
	if p.value == "off" || p.value == "" {
		return nil, nil
	}
	addresses := []string{p.value}
	if _, err := strconv.ParseUint(p.value, 10, 16); err == nil {
		addresses = []string{net.JoinHostPort(host, p.value)}
		if host == "localhost" {
			addresses = []string{net.JoinHostPort("127.0.0.1", p.value)}
			if p.value != "0" {
				addresses = append(addresses, net.JoinHostPort("::1", p.value))
			}
		}
	} else if _, _, err := net.SplitHostPort(p.value); err != nil {
		return nil, fmt.Errorf("-%s: %q is neither a port, nor an address such as 127.0.0.1:4318, nor off", p.flag, p.value)
	}
	for i, address := range addresses {
		l, err := listen(address)
		if i > 0 && err != nil && !errors.Is(err, syscall.EADDRINUSE) {
			break // this machine has no IPv6
		}
		if err != nil {
			for _, l := range out {
				_ = l.Close()
			}
			return nil, explain(p, address, err)
		}
		out = append(out, l)
	}
	return out, nil
}

func explain(p port, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: %s is taken, perhaps by another collector or another spanview. "+
			"Take another port with -%s PORT, or none with -%s off", p.title, address, p.flag, p.flag)
	}
	return fmt.Errorf("%s: -%s: %w", p.title, p.flag, err)
}

func listenTCP(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

func listenUDP(addr string) (net.PacketConn, error) { return net.ListenPacket("udp", addr) }

// shown is an address as a person would write it.
func shown(host string, addr net.Addr) string {
	if host == "localhost" {
		if h, port, err := net.SplitHostPort(addr.String()); err == nil && strings.HasPrefix(h, "127.") {
			return "localhost:" + port
		}
	}
	return addr.String()
}

// start serves everything and returns where the first failure comes.
func (g *group) start() <-chan error {
	failed := make(chan error, len(g.web)+len(g.rpc))
	for _, s := range g.web {
		g.wg.Go(func() {
			if err := s.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	for _, l := range g.rpc {
		g.wg.Go(func() {
			if err := g.grpc.Serve(newLimited(l)); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
				failed <- err
			}
		})
	}
	for _, a := range g.udp {
		g.wg.Go(a.read)
		g.wg.Go(a.store)
	}
	return failed
}

const stopTime = 3 * time.Second

// stop ends everything; what was received is stored.
func (g *group) stop() {
	var wg sync.WaitGroup
	for _, s := range g.web {
		wg.Go(func() { s.shutdown(stopTime) })
	}
	if g.grpc != nil {
		wg.Go(func() { stopGRPC(g.grpc, stopTime) })
	}
	for _, l := range g.rpc {
		_ = l.Close()
	}
	for _, a := range g.udp {
		a.close()
	}
	wg.Wait()
	g.wg.Wait()
}
