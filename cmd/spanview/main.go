package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spanloom/spanloom/traceview"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are the flags.
type settings struct {
	host, names, cors, keep                                 string
	page, otlpHTTP, otlpGRPC, jaegerHTTP, compact, bin, zip string
	sampling                                                string
	maxMiB, maxTraces                                       int
}

// flagSet returns the flags, which are read into s.
func (s *settings) flagSet() *flag.FlagSet {
	flags := flag.NewFlagSet("spanview", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run writes the error, which the list of all flags would hide
	flags.Usage = func() {}
	flags.StringVar(&s.host, "host", "localhost",
		"`name or address` to listen on; 0.0.0.0 is all, and open to whoever reaches it")
	flags.StringVar(&s.page, "page", "16686", "`port` of the page")
	flags.StringVar(&s.otlpHTTP, "otlp-http", "4318", "`port` of OTLP over HTTP")
	flags.StringVar(&s.otlpGRPC, "otlp-grpc", "4317", "`port` of OTLP over gRPC")
	flags.StringVar(&s.jaegerHTTP, "jaeger-http", "14268", "`port` of Jaeger's thrift over HTTP")
	flags.StringVar(&s.compact, "jaeger-compact", "6831", "UDP `port` of Jaeger's agent, compact protocol")
	flags.StringVar(&s.bin, "jaeger-binary", "6832", "UDP `port` of Jaeger's agent, binary protocol")
	flags.StringVar(&s.sampling, "jaeger-sampling", "5778",
		"`port` at which Jaeger's clients read what to sample: everything")
	flags.StringVar(&s.zip, "zipkin", "9411", "`port` of Zipkin's JSON over HTTP")
	flags.StringVar(&s.keep, "keep", "", "`file` that keeps the traces from one run to the next")
	flags.StringVar(&s.names, "names", "",
		"further host `names`, divided by commas, under which requests may come")
	flags.StringVar(&s.cors, "cors", "",
		"`origins`, divided by commas, whose pages may send spans, such as http://localhost:3000")
	flags.IntVar(&s.maxMiB, "memory", 256, "memory for traces in `MiB`")
	flags.IntVar(&s.maxTraces, "traces", 10_000, "`number` of traces that are kept")
	return flags
}

// parse reads the arguments. If they include -h, it writes all flags to stderr and returns [flag.ErrHelp].
func parse(args []string, stderr io.Writer) (s settings, err error) {
	flags := s.flagSet()
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stderr)
		fmt.Fprintln(stderr, "spanview is a collector and a page of traces for a developer's machine. "+
			"Ports may be addresses, or off.")
		flags.PrintDefaults()
		return s, err
	case err != nil:
		return s, fmt.Errorf("%w; spanview -h lists the flags", err)
	case flags.NArg() > 0:
		return s, fmt.Errorf("unknown argument %q; files of traces are opened by dropping them on the page", flags.Arg(0))
	case s.maxMiB < 1 || s.maxTraces < 1:
		return s, errors.New("-memory and -traces must be positive")
	}
	for _, origin := range list(s.cors) {
		if !validOrigin(origin) {
			return s, fmt.Errorf("-cors: %q is not an origin such as http://localhost:3000", origin)
		}
	}
	return s, nil
}

// run is the program. It returns the exit status: 0 after ctx was done, 1 if it could not start or save, 2 for wrong
// flags.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "spanview:", err)
		return 2
	}
	hosts := newHosts(s.host, s.names)
	view := traceview.New(traceview.Config{
		Prefix: "/", MaxBytes: s.maxMiB << 20, MaxTraces: s.maxTraces, Allow: hosts.allow,
	})
	defer view.Close()
	store := keeper{file: s.keep, view: view}
	if err := store.load(); err != nil {
		fmt.Fprintln(stderr, "spanview:", err)
		return 1 // what is there must not be written over
	}
	group, err := listen(s, view, hosts)
	if err != nil {
		fmt.Fprintln(stderr, "spanview:", err)
		return 1
	}
	for _, line := range group.lines {
		fmt.Fprintln(stdout, "spanview:", line)
	}
	fmt.Fprintln(stdout, "spanview: ready. Ctrl-C stops it.")
	status := serve(ctx, group, &store, stderr)
	if n := group.lost.Load(); n > 0 {
		fmt.Fprintf(stderr, "spanview: %d UDP datagrams were lost to a full queue\n", n)
	}
	return status
}

const saveEvery = time.Minute

// serve runs until ctx is done or a server fails, and saves now and then and at the end.
func serve(ctx context.Context, group *group, store *keeper, stderr io.Writer) (status int) {
	failed := group.start()
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ctx.Done():
			running = false
		case err := <-failed:
			fmt.Fprintln(stderr, "spanview:", err)
			status, running = 1, false
		case <-ticker.C:
			if err := store.save(); err != nil {
				fmt.Fprintln(stderr, "spanview:", err)
			}
		}
	}
	group.stop()
	if err := store.save(); err != nil {
		fmt.Fprintln(stderr, "spanview:", err)
		status = 1
	}
	return status
}

// list divides a flag at its commas.
func list(s string) (out []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
