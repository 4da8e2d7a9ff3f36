package export_test

import (
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/header"
)

func TestEndpointsAreReadAsVendorsWriteThem(t *testing.T) {
	for endpoint, want := range map[string]struct{ url, shown string }{
		"http://h":                    {"http://h/v1/traces", "http://h/v1/traces"},
		" https://h:4318/ ":           {"https://h:4318/v1/traces", "https://h:4318/v1/traces"},
		"https://h/adapt_x/otlp":      {"https://h/adapt_x/otlp", "https://h/***"},
		"https://h/a%2Fb?k=v":         {"https://h/a%2Fb?k=v", "https://h/***?***"},
		"http://u:p@h/v1/traces":      {"http://u:p@h/v1/traces", "http://h/v1/traces"},
		"http://[2001:db8::1]:4318":   {"http://[2001:db8::1]:4318/v1/traces", "http://[2001:db8::1]:4318/v1/traces"},
		"http://otel_collector-1.ns.": {"http://otel_collector-1.ns./v1/traces", "http://otel_collector-1.ns./v1/traces"},
	} {
		t.Run(endpoint, func(t *testing.T) {
			u, err := export.ParseURL(endpoint, "/v1/traces")
			if err != nil {
				t.Fatal(err)
			}
			if got := u.String(); got != want.url {
				t.Errorf("read as %s, want %s", got, want.url)
			}
			if got := export.MaskURL(u, "/v1/traces"); got != want.shown {
				t.Errorf("shown as %s, want %s", got, want.shown)
			}
		})
	}
}

func TestWrongEndpointsAreErrorsThatQuoteNothing(t *testing.T) {
	for endpoint, want := range map[string]string{
		"": "is empty", "  ": "is empty", "secret": "begins with http://", "secret:4318": "begins with http://",
		"grpc://secret": "begins with http://", "http://": "no host", "http://u:secret@/": "no host",
		"http://2001:db8::1:4318/secret": "no brackets", "http://::1": "no brackets",
		"http://$(HOST_IP):4318/secret": "not one name", "http://a,secret/": "not one name",
		"http://" + strings.Repeat("a", 64) + "/secret": "not one name",
		"http://h:0/secret":                             "port", "http://h:65536/secret": "port", "http://h:/secret": "port",
		"http://h/#secret": "%23",
	} {
		t.Run("endpoint "+endpoint, func(t *testing.T) {
			_, err := export.ParseURL(endpoint, "/v1/traces")
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q in it", err, want)
			}
		})
	}
}

func TestThisMachineIsKnownByNameAndAddress(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost.": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::1%lo": true,
		"": false, "localhost.example": false, "10.0.0.1": false, "0.0.0.0": false, "2001:db8::1": false,
	} {
		t.Run("host "+host, func(t *testing.T) {
			if got := export.Loopback(host); got != want {
				t.Errorf("%t, want %t", got, want)
			}
		})
	}
}

func TestHeadersThatHTTPCannotCarry(t *testing.T) {
	for name, tt := range map[string]struct {
		key, value string
		valid      bool
		shown      string
	}{
		"usual":           {"X-Token", "a b\tc", true, `"X-Token"`},
		"every character": {"a1!#$%&'*+-.^_`|~", "ü", true, "\"a1!#$%&'*+-.^_`|~\""},
		"no name":         {"", "x", false, `"***"`},
		"a space":         {"Bearer secret", "x", false, `"***"`},
		"a colon":         {"a:secret", "x", false, `"***"`},
		"another script":  {"ü", "x", false, `"***"`},
		"a line feed":     {"a", "x\ny", false, `"a"`},
		"a NUL":           {"a", "\x00", false, `"a"`},
		"a delete":        {"a", "\x7f", false, `"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := header.IsName(tt.key) && header.IsValue(tt.value); got != tt.valid {
				t.Errorf("valid: %t", got)
			}
			if got := export.ShownHeader(tt.key); got != tt.shown {
				t.Errorf("shown as %s, want %s", got, tt.shown)
			}
		})
	}
}
