package traceview

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/woven"
)

// Config configures a View. The zero value works.
type Config struct {
	// Prefix is the path under which the view is mounted, "/debug/traces" if empty. It is needed where the router
	// leaves the path whole, as http.ServeMux and chi do; behind http.StripPrefix it does not matter.
	Prefix string
	// MaxBytes bounds the memory of the traces kept, by a close estimate; 64 MiB if not positive.
	MaxBytes int
	// MaxTraces bounds how many traces are kept; 2000 if not positive.
	MaxTraces int
	// Allow decides alone which requests are answered. If nil, those of loopback callers only: a loopback address,
	// a loopback Host, and no header of a forwarding proxy.
	Allow func(*http.Request) bool
}

const (
	defaultPrefix    = "/debug/traces"
	defaultMaxBytes  = 64 << 20
	defaultMaxTraces = 2000
)

// View keeps the latest traces in memory and shows them in a browser. It is a [jaeger.Reporter] for any number of
// tracers, an [http.Handler] for the pages and for Jaeger's query API, and a collector of OTLP and Jaeger thrift
// over HTTP. Its methods may be called by several goroutines at once. Make it with New.
type View struct {
	cfg   Config
	store *store
	mux   *http.ServeMux
	guard guard
	boot  string // differs from that of every other View, even of the same program started anew
	now   func() time.Time
	zone  *time.Location

	queue     chan *jaeger.Span
	hurry     chan struct{} // wakes the worker early
	working   atomic.Bool
	overflow  atomic.Int64 // spans that met a full queue
	refused   atomic.Int64 // requests with spans that could not be read
	drainMu   sync.Mutex   // held by whoever moves spans from the queue to the store
	processes map[any]*process
	workerMu  sync.Mutex
	worker    chan struct{} // closed when the worker has ended; nil before the first
	stopping  atomic.Bool

	open     openTable
	inFlight inFlight

	posts   chan struct{} // a token for each body that may be decoded at the same time
	streams streams
}

var _ jaeger.Reporter = (*View)(nil)

// New makes a View. It starts nothing: a goroutine runs only while spans come in.
func New(cfg Config) *View {
	cfg.Prefix = cleanPrefix(cfg.Prefix)
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.MaxTraces <= 0 {
		cfg.MaxTraces = defaultMaxTraces
	}
	v := &View{
		cfg:       cfg,
		store:     newStore(cfg.MaxBytes, cfg.MaxTraces, time.Now),
		guard:     newGuard(cfg.Allow),
		boot:      strconv.FormatInt(time.Now().UnixNano(), 36),
		now:       time.Now,
		zone:      time.Local,
		queue:     make(chan *jaeger.Span, queueSize),
		hurry:     make(chan struct{}, 1),
		processes: map[any]*process{},
		posts:     make(chan struct{}, maxPosts),
	}
	v.mux = v.routes()
	return v
}

func (v *View) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", v.listPage)
	mux.HandleFunc("GET /trace/{id}", v.tracePage)
	mux.HandleFunc("GET /trace/{id}/span/{span}", v.spanFragment)
	mux.HandleFunc("GET /trace/{id}/find", v.findSpans)
	mux.HandleFunc("GET /trace/{id}/jaeger.json", v.downloadJaeger)
	mux.HandleFunc("GET /trace/{id}/otlp.json", v.downloadOTLP)
	mux.HandleFunc("POST /trace/{id}/pin", v.pinTrace)
	mux.HandleFunc("GET /compare", v.comparePage)
	mux.HandleFunc("GET /beside", v.besideList)
	mux.HandleFunc("GET /operations", v.operationsPage)
	mux.HandleFunc("GET /services", v.servicesPage)
	mux.HandleFunc("GET /search", v.jaegerSearch)
	mux.HandleFunc("GET /events", v.events)
	mux.HandleFunc("GET /static/{file}", v.asset)
	mux.HandleFunc("POST /clear", v.clear)
	mux.HandleFunc("POST /undo", v.undoClear)
	mux.HandleFunc("POST /import", v.importFile)

	mux.HandleFunc("GET /api/services", v.apiServices)
	mux.HandleFunc("GET /api/services/{service}/operations", v.apiServiceOperations)
	mux.HandleFunc("GET /api/operations", v.apiOperations)
	mux.HandleFunc("GET /api/traces", v.apiTraces)
	mux.HandleFunc("GET /api/traces/{id}", v.apiTrace)
	mux.HandleFunc("GET /api/dependencies", v.apiDependencies)
	mux.HandleFunc("POST /api/transform", v.apiTransform)
	mux.HandleFunc("GET /api/v3/services", v.v3Services)
	mux.HandleFunc("GET /api/v3/operations", v.v3Operations)
	mux.HandleFunc("GET /api/v3/trace-summaries", v.v3Summaries)
	mux.HandleFunc("GET /api/v3/traces", v.v3Traces)
	mux.HandleFunc("GET /api/v3/traces/{id}", v.v3Trace)

	mux.HandleFunc("POST /v1/traces", v.ingestOTLP)
	mux.HandleFunc("POST /api/traces", v.ingestThrift)
	mux.HandleFunc("POST /api/v2/spans", v.ingestZipkin)
	return mux
}

// ServeHTTP serves the pages, the query API and the collector, below [Config].Prefix or behind [http.StripPrefix].
func (v *View) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	woven.Discard(r.Context()) // or each view of the page would be a trace on it
	secureHeaders(w.Header())
	if problem := v.guard.check(r); problem != "" {
		http.Error(w, problem, http.StatusForbidden)
		return
	}
	inner, ok := v.stripPrefix(r)
	if !ok {
		http.Error(w, "traceview: this path is not below "+v.cfg.Prefix+": set Config.Prefix to where the view is mounted",
			http.StatusNotFound)
		return
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		v.drain()
	}
	v.mux.ServeHTTP(w, inner)
}
