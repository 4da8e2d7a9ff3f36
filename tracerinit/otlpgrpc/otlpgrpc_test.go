package otlpgrpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/testnet"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestEverySpanArrives(t *testing.T) {
	for name, opts := range map[string][]Option{
		"plain": nil, "gzip": {WithCompression()},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t, nil)
			l := open(t, factory(c.addr, append(opts, WithHeaders(map[string]string{"Authentication": "aaa@bbb_ccc"}))...))
			if diff := cmp.Diff(l.send(t, 1234), c.took()); diff != "" {
				t.Error(diff)
			}
			if got := c.md.Get("authentication"); len(got) != 1 || got[0] != "aaa@bbb_ccc" {
				t.Errorf("metadata %v", c.md)
			}
			if s := l.Stats(); s.Delivered != 1234 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestSchemeDecidesTLS(t *testing.T) {
	secure := httptest.NewUnstartedServer(nil)
	secure.StartTLS()
	certs, roots := secure.TLS.Certificates, x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	secure.Close()
	c := newCollector(t, nil, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certs})))
	conf := &tls.Config{RootCAs: roots, ServerName: "example.com"}
	for _, target := range []string{"https://" + c.addr, c.addr} {
		t.Run("target "+target, func(t *testing.T) {
			l := open(t, factory(target, WithTLS(conf)))
			l.send(t, 3)
			if s := l.Stats(); s.Delivered != 3 {
				t.Errorf("%s: %+v", target, s)
			}
		})
	}
	plain := newCollector(t, nil)
	l := open(t, factory("http://"+plain.addr+"/", WithTLS(conf)))
	l.send(t, 3)
	if s := l.Stats(); s.Delivered != 3 {
		t.Errorf("http://: %+v", s)
	}
}

func TestWhichCodesAreTriedAgain(t *testing.T) {
	with := func(code codes.Code, delay time.Duration) error {
		st := status.New(code, "not now")
		if delay > 0 {
			st, _ = st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
		}
		return st.Err()
	}
	for _, c := range []struct {
		err   error
		again bool
	}{
		{with(codes.Unavailable, 0), true},
		{with(codes.DeadlineExceeded, 0), true},
		{with(codes.Aborted, 0), true},
		{with(codes.OutOfRange, 0), true},
		{with(codes.DataLoss, 0), true},
		{with(codes.Canceled, 0), true},
		{with(codes.ResourceExhausted, time.Millisecond), true},
		{with(codes.ResourceExhausted, 0), false},
		{with(codes.InvalidArgument, 0), false},
		{with(codes.PermissionDenied, 0), false},
		{with(codes.Unauthenticated, 0), false},
		{with(codes.Unimplemented, 0), false},
		{with(codes.Internal, 0), false},
	} {
		t.Run(fmt.Sprint(status.Code(c.err), c.again), func(t *testing.T) {
			col := newCollector(t, func(_ context.Context, call int) ([]byte, error) {
				if call < 3 {
					return nil, c.err
				}
				return nil, nil
			})
			l := open(t, factory(col.addr, quick))
			l.send(t, 4)
			s := l.Stats()
			if again := s.Delivered == 4 && s.Failures == 2; again != c.again {
				t.Errorf("%+v", s)
			}
			if !c.again && (s.Dropped.Refused != 4 || col.calls != 1) {
				t.Errorf("%d calls, %+v", col.calls, s)
			}
			for _, part := range []string{"otlp/grpc", status.Code(c.err).String(), col.addr, "not now"} {
				if !strings.Contains(s.LastError, part) {
					t.Errorf("%q does not say %s", s.LastError, part)
				}
			}
		})
	}
}

func TestRetryInfoIsHonoured(t *testing.T) {
	var at []time.Time
	col := newCollector(t, func(_ context.Context, call int) ([]byte, error) {
		at = append(at, time.Now())
		if call == 1 {
			st, _ := status.New(codes.Unavailable, "").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(300 * time.Millisecond)})
			return nil, st.Err()
		}
		return nil, nil
	})
	l := open(t, factory(col.addr, quick))
	l.send(t, 1)
	if len(at) != 2 || at[1].Sub(at[0]) < 300*time.Millisecond {
		t.Errorf("called at %v", at)
	}
}

func TestRefusedSpansOfAPartialSuccessAreCounted(t *testing.T) {
	col := newCollector(t, func(context.Context, int) ([]byte, error) { return otlp.AppendResponse(nil, 3, "too old"), nil })
	l := open(t, factory(col.addr, quick))
	l.send(t, 10)
	if s := l.Stats(); s.Delivered != 7 || s.Dropped.Rejected != 3 || !strings.Contains(s.LastError, "too old") {
		t.Errorf("%+v", s)
	}
}

func TestTheTokenIsInNoError(t *testing.T) {
	const token = "aaa@bbb_ccc@ddd"
	col := newCollector(t, func(context.Context, int) ([]byte, error) {
		return nil, status.Error(codes.PermissionDenied, "no tenant for "+token)
	})
	for where, c := range map[string]struct {
		options []Option
		tags    []model.Tag
	}{
		"in a header":         {options: []Option{WithHeaders(map[string]string{"Authentication": token})}},
		"in the process tags": {tags: []model.Tag{{Key: "token", Value: model.String(token)}}},
	} {
		t.Run(where, func(t *testing.T) {
			e := factory(col.addr, c.options...)
			l := openAs(t, e, &model.Process{Tags: c.tags})
			l.send(t, 2)
			s := l.Stats()
			if !strings.Contains(s.LastError, "PermissionDenied from "+col.addr) {
				t.Errorf("%q", s.LastError)
			}
			if text := s.LastError + fmt.Sprintf("%+v %#v", e, e); strings.Contains(text, "bbb_ccc") {
				t.Errorf("the token is in %q", text)
			}
		})
	}
}

func TestAHeaderThatCannotBeSentIsAnErrorWithoutSecrets(t *testing.T) {
	for name, value := range map[string]string{
		"Connection": "topsecret", "Transfer-Encoding": "topsecret", "Upgrade": "topsecret", "Keep-Alive": "topsecret",
		"x-token": "topsecret\n", "bearer topsecret": "x", "authorization: topsecret": "",
	} {
		t.Run("header "+name, func(t *testing.T) {
			_, err := factory("h:4317", WithHeaders(map[string]string{name: value})).Open(export.Env{Process: &model.Process{}})
			if err == nil || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTargetsAreReadInEveryForm(t *testing.T) {
	for target, want := range map[string]target{
		"h":                     {"dns:///h:4317", "h:4317", false, false},
		"HTTP://localhost":      {"dns:///localhost:4317", "localhost:4317", false, true},
		"HTTPS://h:1/":          {"dns:///h:1", "h:1", true, false},
		"::1":                   {"dns:///[::1]:4317", "[::1]:4317", false, true},
		"[fe80::1%lo]:1":        {"dns:///[fe80::1%25lo]:1", "[fe80::1%lo]:1", false, false},
		"unix:///run/otel.sock": {"unix:///run/otel.sock", "unix:///run/otel.sock", false, true},
		"unix-abstract:otel":    {"unix-abstract:otel", "unix-abstract:otel", false, true},
		"dns://u@ns/h?k=v":      {"dns://u@ns/h?k=v", "dns:***", false, false},
	} {
		t.Run(target, func(t *testing.T) {
			got, err := parse(target, false)
			if err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", target, got, err, want)
			}
			cc, err := dial(got, insecure.NewCredentials())
			if err != nil {
				t.Errorf("%s: %v", target, err)
				return
			}
			cc.Close()
		})
	}
}

func TestTheLastHeaderWins(t *testing.T) {
	col := newCollector(t, nil)
	var opts []Option
	for i, name := range []string{"x-token", "X-Token", "X-TOKEN", "x-tOKEN"} {
		t.Run(name, func(t *testing.T) {
			opts = append(opts, WithHeaders(map[string]string{name: fmt.Sprint(i)}))
		})
	}
	open(t, factory(col.addr, opts...)).send(t, 1)
	if got := col.md.Get("x-token"); len(got) != 1 || got[0] != "3" {
		t.Errorf("%v", got)
	}
}

func TestMalformedTargetsAreErrors(t *testing.T) {
	for _, target := range []string{"", "http://", "http://h:x", "h:70000", "http://h/adapt_topsecret/api", "https://u:topsecret@h:1", ":4317", "http://h?k=topsecret", "endpoint=topsecret", "a:1,topsecret:2",
		"HTTP://u:topsecret@h:1", "grpc://h:4317", "nowhere://topsecret@h", "xds:///h"} {
		t.Run(target, func(t *testing.T) {
			e := factory(target)
			_, err := export.Start(e, export.Queue{}, export.Env{Process: &model.Process{}})
			if err == nil {
				t.Errorf("%q: no error", target)
			} else if strings.Contains(err.Error()+e.Endpoint, "topsecret") {
				t.Errorf("%q: %v, %s", target, err, e.Endpoint)
			}
		})
	}
	for key, value := range map[string]string{"": "v", "grpc-timeout": "v", "Grpc-Timeout": "v", "a b": "v", "ü": "v", "accent": "topsecret é", "tab": "topsecret\t"} {
		t.Run("key "+key, func(t *testing.T) {
			_, err := factory("h", WithHeaders(map[string]string{key: value})).Open(export.Env{Process: &model.Process{}})
			if err == nil || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("header %q: %v", key, err)
			}
		})
	}
}

func TestItRegistersItself(t *testing.T) {
	build, ok := export.OTLPGRPC()
	if !ok {
		t.Fatal("not registered")
	}
	c := newCollector(t, nil)
	for endpoint, insecure := range map[string]bool{"http://" + c.addr: false, c.addr: true} {
		t.Run(endpoint, func(t *testing.T) {
			l := open(t, build(export.OTLPConfig{Endpoint: endpoint, Insecure: insecure, Compression: "gzip"}))
			l.send(t, 2)
			if s := l.Stats(); s.Delivered != 2 {
				t.Errorf("%s: %+v", endpoint, s)
			}
		})
	}
}

func TestAProgramWithoutACollectorExitsSoon(t *testing.T) {
	tracer, err := tracerinit.Start(tracerinit.Config{
		Exporters: []tracerinit.Exporter{New(testnet.Refusing(t))}, ShutdownTimeout: time.Minute, Local: true,
		LookupEnv: func(string) (string, bool) { return "", false }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	tracer.StartSpan("x").Finish()
	began := time.Now()
	if err := tracer.Close(); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("Close took %v: %v", time.Since(began), err)
	}
}
