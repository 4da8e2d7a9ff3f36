package tracerinit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// misplaced are the ways in which a secret gets into a variable that is not for it. %s is the secret.
var misplaced = []string{
	"http://u:%s@host:x/", "ftp://host/adapt_%s", "http://host/adapt_%s/api/traces", "a=b,Authorization=%s,?",
	"u:%s@host",
	"Authorization: Bearer %s", "Authorization=Bearer %s", "Bearer %s", "bearer %s", "Basic %s", "token %s",
	"password=%s",
	"api_key: %s", `"Authorization: Bearer %s"`, "http://host:4318?token=%s", "https://%s@host", "//u:%s@host",
	"udp://10.0.0.7/%s", `{"token":"%s"}`, "SharedAccessKey=%s", "account_key: %s", "-H 'Authorization: Bearer %s'",
}

// misplacedWord are ways in which it can only be known where no text will do.
var misplacedWord = []string{
	"host/adapt_%s", "host:4318/adapt_%s", "u:%s", "endpoint=%s", "x?key=%s", "${TOKEN:%s}", "$(TOKEN)%s", "%s %s",
}

// anyTextWillDo are variables that can hold any text.
var anyTextWillDo = []string{"JAEGER_SERVICE_NAME", "OTEL_SERVICE_NAME", "JAEGER_TAGS", "OTEL_RESOURCE_ATTRIBUTES"}

// TestAMisplacedSecretIsNeverShown writes secrets into every variable in every way. A tracer starts with one secret of
// each form. The others are only resolved, which is where a secret's own look counts.
func TestAMisplacedSecretIsNeverShown(t *testing.T) {
	secrets := []string{"secret-1", "hush-Hush.7", "eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG"}
	for _, v := range variables {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			forms := misplaced
			if !slices.Contains(anyTextWillDo, v.name) {
				forms = slices.Concat(misplaced, misplacedWord)
			}
			for i, form := range forms {
				for j, secret := range secrets {
					value := strings.ReplaceAll(form, "%s", secret)
					pairs := slices.Concat(v.with, []string{v.name + "=" + value})
					shown := fmt.Sprint(resolve(tracerinit.Config{}, pairs...))
					if j == i%len(secrets) {
						text, _ := startIn(t, pairs)
						shown += text
					}
					if strings.Contains(shown, secret) {
						t.Errorf("%s: shown in %s", value, around(shown, secret))
					}
				}
			}
		})
	}
}

func around(text, part string) string {
	i := strings.Index(text, part)
	return "…" + text[max(0, i-80):min(len(text), i+len(part)+20)] + "…"
}

func TestAMisplacedSecretInCodeIsNeverShown(t *testing.T) {
	for name, cfg := range map[string]tracerinit.Config{
		"sampler": {Sampler: tracerinit.Remote("http://u:secret-1@host:bad/secret-1", tracerinit.RemoteOptions{})},
		"otlp":    {Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP("Authorization: Bearer secret-1")}},
		"jaeger":  {Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("host/adapt_secret-1")}},
		"udp":     {Exporters: []tracerinit.Exporter{tracerinit.JaegerUDP("u:secret-1@host")}},
		"tags":    {Tags: map[string]any{"password": "secret-1", "note": "Bearer secret-1"}},
		"service": {Service: "Authorization: Bearer secret-1"},
		"reporter": {
			Service: "x", Reporters: []jaeger.Reporter{jaeger.NewNullReporter()},
			Sampler: tracerinit.Remote("secret-1", tracerinit.RemoteOptions{Interval: -1}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if shown := fmt.Sprintf("%v %+v %#v", cfg.Sampler, cfg.Sampler, cfg.Sampler); strings.Contains(shown, "//u:secret-1") {
				t.Errorf("shown in %s", shown)
			}
			var log logBuffer
			cfg.Logger = log.Logger()
			tracer, err := tracerinit.Start(local(cfg))
			shown := fmt.Sprint(err, log.String())
			if err == nil {
				shown += fmt.Sprint(tracer.Settings())
				shutdown(t, tracer, 0)
			}
			if strings.Contains(shown, "secret-1") && name != "reporter" { // there it is the name of a host
				t.Errorf("shown in %s", around(shown, "secret-1"))
			}
		})
	}
}
