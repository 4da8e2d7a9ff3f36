package tracerinit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/tracerinit"
)

// canary is in every value of a random environment that is a secret.
const canary = "c4n4ry-Secret-0123"

// randomValues are what variables hold in random environments, besides what the table of variables has for them.
var randomValues = []string{
	"", " ", "0", "-1", "1", "true", "yes", "1e400", "99999999999999999999", "NaN", "a,b,,c", "=", "%", "%zz=%2",
	"\x00", "\xff\xfe",
	"none", "otlp,jaeger,console", "grpc", "http/protobuf", "b3,tracecontext", `"quoted"`, "$(HOST_IP)", "${X:-y}",
	"udp://10.0.0.7:5775",
	"http://::1:4318", "[::1]", "::1", "127.0.0.1:1", "unix:///run/x.sock",
	"endpoint=http://127.0.0.1:1,pollingIntervalMs=1",
	"http://127.0.0.1:1/adapt_" + canary, "http://u:" + canary + "@127.0.0.1:1/", "http://127.0.0.1:1/?token=" + canary,
	"Authorization: Bearer " + canary, "Bearer " + canary, "Authorization=Basic " + canary, "password=" + canary, "u:" +
		canary + "@h",
}

// randomEnvironment sets up to a dozen variables. It names no file, and no host but this one.
func randomEnvironment(rng *rand.Rand) []string {
	var pairs []string
	for range 1 + rng.IntN(12) {
		v := variables[rng.IntN(len(variables))]
		value := randomValues[rng.IntN(len(randomValues))]
		switch rng.IntN(4) {
		case 0:
			value = v.wrong
		case 1:
			value = v.value
		}
		pairs = append(pairs, v.name+"="+value)
	}
	return pairs
}

// startIn starts a tracer in an environment, ends it, and returns all that it shows. Where the environment names a
// sampling server on another host, it only resolves the configuration, since the server's name would be looked up.
func startIn(t *testing.T, pairs []string) (shown string, err error) {
	t.Helper()
	r := resolve(tracerinit.Config{}, pairs...)
	elsewhere := func(endpoint string) bool { return !strings.Contains(endpoint, "127.0.0.1") }
	if slices.ContainsFunc(valuesOf(r.Settings, "sampler.endpoint"), elsewhere) {
		return fmt.Sprint(r.Err, strings.Join(r.Warnings, ""), r.Settings), r.Err
	}
	var log logBuffer
	tracer, err := tracerinit.Start(
		local(tracerinit.Config{Logger: log.Logger(), LookupEnv: env(pairs...), ShutdownTimeout: time.Nanosecond}),
	)
	if err != nil {
		return log.String() + err.Error(), err
	}
	for _, s := range tracer.Settings() {
		if s.Name == "" || s.Source == "" {
			t.Errorf("%q: a setting without a name or a source: %+v", pairs, s)
		}
	}
	shown = log.String() + fmt.Sprint(tracer.Settings(), tracer.Stats())
	shutdown(t, tracer, 0)
	return shown, nil
}

// checkEnvironment starts a tracer in an environment: it runs, or the error names a variable that is set; and no secret
// is shown anywhere.
func checkEnvironment(t *testing.T, pairs []string, secret string) {
	t.Helper()
	shown, err := startIn(t, pairs)
	names := func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		return value != "" && strings.Contains(err.Error(), name)
	}
	if err != nil && !slices.ContainsFunc(pairs, names) {
		t.Errorf("%q: the error names no variable: %v", pairs, err)
	}
	if strings.Contains(shown, secret) {
		t.Errorf("%q: a secret is shown in %s", pairs, around(shown, secret))
	}
}

func TestAThousandRandomEnvironments(t *testing.T) {
	for seed := range uint64(1000) {
		checkEnvironment(t, randomEnvironment(rand.New(rand.NewPCG(seed, 7))), canary)
	}
}

func FuzzEnvironment(f *testing.F) {
	for i, v := range variables {
		f.Add(v.name, v.value, "JAEGER_SAMPLER_TYPE", "remote", uint64(i))
		f.Add(v.name, v.wrong, "OTEL_TRACES_SAMPLER", "jaeger_remote", uint64(i))
	}
	f.Add("JAEGER_TAGS", "ip=5,a,${X},=,%zz", "OTEL_RESOURCE_ATTRIBUTES", "%zz=1,a=%2", uint64(1))
	f.Fuzz(func(t *testing.T, name, value, name2, value2 string, seed uint64) {
		if strings.Contains(name+name2, "CERTIFICATE") || strings.Contains(name+name2, "CLIENT_KEY") {
			return // they name files
		}
		// Disabled, so that no fuzzed host is connected to. The variable counts only once.
		pairs := append(randomEnvironment(rand.New(rand.NewPCG(seed, 7))), name+"="+value, name2+"="+value2)
		if !strings.Contains(name+value+name2+value2, canary) {
			checkEnvironment(t, append(pairs, "OTEL_SDK_DISABLED=true", "JAEGER_DISABLED=true"), canary)
		}
		r := resolve(tracerinit.Config{}, pairs...)
		if shown := fmt.Sprint(r.Err, strings.Join(r.Warnings, ""), r.Settings); strings.Contains(shown, canary) &&
			!strings.Contains(name+value+name2+value2, canary) {
			t.Errorf("%q: a secret is shown in %s", pairs, around(shown, canary))
		}
	})
}
