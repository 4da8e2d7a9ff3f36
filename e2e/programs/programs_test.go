// Package programs_test runs the example programs as their users do.
package programs_test

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/e2e/internal/ports"
	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/shop"
	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// visits are what a user tries, and the traces that must come of it. tags are those shown in the trees.
var visits = []struct {
	method, path, body string
	status, spans      int
	tree               string
}{
	{"GET", "/products/42", "", 200, 6, `
server storefront "GET /products/{id}" http.status_code=200 http.route="/products/{id}"
  client storefront "/inventory.v1.Inventory/GetStock"
    server inventory "/inventory.v1.Inventory/GetStock"
      client inventory "SELECT stock"
  client storefront "GET /prices/{id}" http.status_code=200
    server supplier "GET /prices/{id}" http.status_code=200 http.route="/prices/{id}"
`},
	{"GET", "/products/100", "", 404, 4, `
server storefront "GET /products/{id}" http.status_code=404 http.route="/products/{id}"
  client storefront "/inventory.v1.Inventory/GetStock" error=true
    server inventory "/inventory.v1.Inventory/GetStock"
      client inventory "SELECT stock"
`},
	{"GET", "/products/7/reviews", "", 200, 2, `
server storefront "GET /products/{id}/reviews" http.status_code=200 http.route="/products/{id}/reviews"
  internal storefront "rank reviews"
`},
	{"POST", "/orders", `{"product":"42","quantity":3}`, 200, 5, `
server storefront "POST /orders" http.status_code=200 http.route="/orders"
  client storefront "/inventory.v1.Inventory/Negotiate"
    server inventory "/inventory.v1.Inventory/Negotiate"
  client storefront "/inventory.v1.Inventory/Reserve"
    server inventory "/inventory.v1.Inventory/Reserve"
`},
	{"POST", "/orders", `{"product":"42","quantity":-3}`, 400, 5, `
server storefront "POST /orders" http.status_code=400 http.route="/orders"
  client storefront "/inventory.v1.Inventory/Negotiate"
    server inventory "/inventory.v1.Inventory/Negotiate"
  client storefront "/inventory.v1.Inventory/Reserve" error=true
    server inventory "/inventory.v1.Inventory/Reserve"
`},
	{"GET", "/slow", "", 200, 4, `
server storefront "GET /slow" http.status_code=200 http.route="/slow"
  client storefront "/inventory.v1.Inventory/WatchStock"
    server inventory "/inventory.v1.Inventory/WatchStock"
      client inventory "SELECT stock"
`},
	{"GET", "/fail", "", 502, 3, `
server storefront "GET /fail" error=true http.status_code=502 http.route="/fail"
  client storefront "GET" error=true http.status_code=503
    server supplier "GET /closed" error=true http.status_code=503 http.route="/closed"
`},
	{"GET", "/panic", "", 500, 1, `
server storefront "GET /panic" error=true http.route="/panic"
`},
	{"GET", "/nowhere", "", 404, 1, `
server storefront "GET" http.status_code=404
`},
}

var tags = []string{"error", "http.status_code", "http.route"}

// TestStorefrontRunsAlone runs storefront alone, which then starts its neighbours itself.
func TestStorefrontRunsAlone(t *testing.T) {
	front := shop.StartStorefront(t, nil)
	visit(t, front, front.View)
	stop(t, front.Process, os.Interrupt)
}

// TestTwoProcessesShowInOneTrace runs storefront and inventory apart. Inventory exports to storefront's page, where both show in one
// trace.
func TestTwoProcessesShowInOneTrace(t *testing.T) {
	addr := ports.Free(t, 1)[0]
	front := shop.StartStorefront(t, nil, "-inventory", addr)
	inventory := shop.StartInventory(t, addr, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + front.URL + "/debug/traces"})
	visit(t, front, front.View)
	stop(t, inventory, os.Interrupt)
	stop(t, front.Process, os.Interrupt)
}

// TestReportToJaeger lets the environment send both programs' spans to a real Jaeger, by each road.
func TestReportToJaeger(t *testing.T) {
	backend := jaeger.Start(t)
	for _, road := range []struct {
		name string
		env  []string
	}{
		{"udp", agentEnv(t, backend.UDP)},
		{"thrift-http", []string{"JAEGER_ENDPOINT=" + backend.Collector + "/api/traces"}},
		{"otlp-http", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + backend.OTLPHTTP}},
		{"otlp-grpc", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + backend.OTLPGRPC, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}},
	} {
		t.Run(road.name, func(t *testing.T) {
			addr := ports.Free(t, 1)[0]
			inventory := shop.StartInventory(t, addr, road.env)
			front := shop.StartStorefront(t, road.env, "-inventory", addr)
			visit(t, front, backend.API)
			last := front.Request(t, "GET", "/products/42", "", 200)
			stop(t, front.Process, syscall.SIGTERM)
			stop(t, inventory, syscall.SIGTERM)
			if got := backend.Trace(t, last, visits[0].spans); len(got) != visits[0].spans {
				t.Errorf("the trace just before the end has %d spans", len(got))
			}
		})
	}
}

func agentEnv(t *testing.T, addr string) []string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"JAEGER_AGENT_HOST=" + host, "JAEGER_AGENT_PORT=" + port}
}

func visit(t *testing.T, front *shop.Storefront, backend jaeger.API) {
	t.Helper()
	ids := make([]string, len(visits))
	for i, v := range visits {
		ids[i] = front.Request(t, v.method, v.path, v.body, v.status)
	}
	for i, v := range visits {
		t.Run(v.method+" "+v.path, func(t *testing.T) {
			if diff := cmp.Diff(v.tree, "\n"+jaeger.Tree(backend.Trace(t, ids[i], v.spans), tags...)); diff != "" {
				t.Errorf("%s %s -want +got:\n%s", v.method, v.path, diff)
			}
		})
	}
}

func stop(t *testing.T, p *proc.Process, signal os.Signal) {
	t.Helper()
	p.Signal(signal)
	if code, err := p.Exit(wait.Patience); code != 0 || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
}
