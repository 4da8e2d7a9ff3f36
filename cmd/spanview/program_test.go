package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeepBringsTracesBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "traces")
	p := startProgram(t, "-keep", file)
	if status, answer := p.post("OTLP over HTTP", "/v1/traces", "application/x-protobuf", encoded(t, request("shop", "kept", 1))); status != 200 {
		t.Fatal(status, answer)
	}
	if status := p.stop(); status != 0 {
		t.Fatalf("exit status %d: %s", status, p.errors)
	}
	p = startProgram(t, "-keep", file)
	p.until("/", "kept")
	p.until("/api/services", "shop")
	p.stop()
	if left, _ := filepath.Glob(file + ".*"); len(left) > 0 {
		t.Errorf("%q is left beside the file", left)
	}
}

func TestAKeepFileThatCannotBeReadIsNotWrittenOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("my notes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs syncBuffer
	if status := run(t.Context(), append(anyPorts, "-keep", file), &out, &errs); status != 1 || !strings.Contains(errs.String(), file) {
		t.Errorf("%d: %s", status, &errs)
	}
	if b, _ := os.ReadFile(file); string(b) != "my notes\n" {
		t.Errorf("the file holds %q", b)
	}
	if status := run(t.Context(), append(anyPorts, "-keep", "/nowhere/at/all"), &out, &errs); status != 1 {
		t.Errorf("a place that is not there: %d", status)
	}
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, flag := range []string{"-page", "-otlp-http", "-otlp-grpc", "-jaeger-http", "-jaeger-sampling", "-zipkin"} {
		t.Run(flag, func(t *testing.T) {
			var out, errs syncBuffer
			status := run(t.Context(), append(append([]string{}, anyPorts...), flag, taken.Addr().String()), &out, &errs)
			if status != 1 || !strings.Contains(errs.String(), taken.Addr().String()+" is taken") || !strings.Contains(errs.String(), flag+" off") {
				t.Errorf("%d %s", status, &errs)
			}
		})
	}
}

func TestWrongFlagsAreNamed(t *testing.T) {
	for _, args := range [][]string{{"-otlp-http", "http://x"}, {"-no-such"}, {"trailing"}, {"-cors", "x"}, {"-traces", "0"},
		{"-page", "off", "-otlp-http", "off", "-otlp-grpc", "off", "-jaeger-http", "off", "-jaeger-compact", "off", "-jaeger-binary", "off", "-jaeger-sampling", "off", "-zipkin", "off"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var out, errs syncBuffer
			if status := run(t.Context(), append(append([]string{}, anyPorts...), args...), &out, &errs); status == 0 || errs.String() == "" {
				t.Errorf("%q: %d %s", args, status, &errs)
			}
		})
	}
	var out, errs syncBuffer
	if status := run(t.Context(), []string{"-h"}, &out, &errs); status != 0 || !strings.Contains(errs.String(), "-keep") {
		t.Errorf("-h: %d %s", status, &errs)
	}
}

func TestPortsThatAreOffAreNotListened(t *testing.T) {
	p := startProgram(t, "-zipkin", "off", "-otlp-grpc", "off", "-jaeger-binary", "off")
	for _, title := range []string{"Zipkin JSON over HTTP", "OTLP over gRPC", "Jaeger agent, binary"} {
		if p.addr[title] != "" {
			t.Errorf("%s listens on %s", title, p.addr[title])
		}
	}
	if status := p.stop(); status != 0 {
		t.Errorf("exit status %d: %s", status, p.errors)
	}
}

// A page of the web whose name was pointed at this machine must reach nothing.
func TestNamesOfOthersAreRefused(t *testing.T) {
	p := startProgram(t, "-names", "traces.test")
	body := encoded(t, request("shop", "x", 1))
	for host, want := range map[string]int{"evil.example": 403, "evil.example:4318": 403, "192.0.2.1": 403, "traces.test": 200, "app.localhost:80": 200, "[::1]:4318": 200} {
		t.Run(host, func(t *testing.T) {
			if status, answer := p.post("OTLP over HTTP", "/v1/traces", "application/x-protobuf", body, "Host", host); status != want {
				t.Errorf("Host %s: %d %s, want %d", host, status, answer, want)
			}
		})
	}
	all := newHosts("0.0.0.0", "")
	for host, want := range map[string]bool{"192.0.2.1:16686": true, "evil.example": false, "localhost": true} {
		t.Run(host, func(t *testing.T) {
			if got := all.allow(&http.Request{RemoteAddr: "192.0.2.9:1", Host: host}); got != want {
				t.Errorf("open to all, Host %s: %v, want %v", host, got, want)
			}
		})
	}
}

func TestOnlyNamedOriginsMaySendFromTheirPages(t *testing.T) {
	p := startProgram(t, "-cors", "http://localhost:3000")
	body := encoded(t, request("web", "x", 1))
	for origin, want := range map[string]int{"http://localhost:3000": 200, "http://evil.example": 403} {
		t.Run(origin, func(t *testing.T) {
			status, _ := p.post("OTLP over HTTP", "/v1/traces", "application/x-protobuf", body, "Origin", origin, "Sec-Fetch-Site", "cross-site")
			if status != want {
				t.Errorf("%d, want %d", status, want)
			}
			req, _ := http.NewRequest("OPTIONS", "http://"+p.addr["OTLP over HTTP"]+"/v1/traces", nil)
			req.Header.Set("Origin", origin)
			req.Header.Set("Access-Control-Request-Headers", "x-custom")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Header.Get("Access-Control-Allow-Origin"); (got == origin) != (want == 200) {
				t.Errorf("preflight of %s: %d, allows %q", origin, resp.StatusCode, got)
			}
		})
	}
}
