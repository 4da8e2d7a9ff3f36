package tracerinit

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestJaegerTagsAnyTextIsSafe(t *testing.T) {
	for raw, want := range map[string]map[string]string{
		"a=b,":               {"a": "b"},
		",a=b":               {"a": "b"},
		"k=${X}":             {"k": "set"},
		"k=${Y}":             {"k": ""},
		"k=${Y:other:value}": {"k": "other:value"},
		"k=${X:other}":       {"k": "set"},
		"k=${X":              {"k": "${X"},
		"k=a=b":              {"k": "a=b"},
		"a":                  nil,
		"=b":                 nil,
		"a=b,c":              nil,
	} {
		t.Run(raw, func(t *testing.T) {
			r := newResolver(env("JAEGER_TAGS="+raw, "X=set"))
			got := r.jaegerTags()
			if want == nil {
				if err := r.err(); err == nil || !strings.Contains(err.Error(), "JAEGER_TAGS") {
					t.Errorf("%q: %v", raw, err)
				}
				return
			}
			if diff := gocmp.Diff(want, got); diff != "" || r.err() != nil {
				t.Errorf("%q (-want +got), %v:\n%s", raw, r.err(), diff)
			}
		})
	}
	_, err := Start(local(Config{LookupEnv: env("JAEGER_TAGS=token=hush-hush,more")}))
	if err == nil || strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("a list with a token: %v", err)
	}
}
