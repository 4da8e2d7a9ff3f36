package tracerinit_test

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/tracerinit"
)

func TestTagsOfTheEnvironmentCanHoldAnyText(t *testing.T) {
	for raw, want := range map[string]map[string]string{
		"a=b,":               {"a": "b"},
		",a=b":               {"a": "b"},
		"k=${X}":             {"k": "set"},
		"k=${Y}":             {},
		"k=${Y:other:value}": {"k": "other:value"},
		"k=${X:other}":       {"k": "set"},
		"k=${X":              {"k": "${X"},
		"k=a=b":              {"k": "a=b"},
		"a":                  nil,
		"=b":                 nil,
		"a=b,c":              nil,
	} {
		t.Run(raw, func(t *testing.T) {
			r := resolve(tracerinit.Config{}, "JAEGER_TAGS="+raw, "X=set")
			if want == nil {
				if r.Err == nil || !strings.Contains(r.Err.Error(), "JAEGER_TAGS") {
					t.Errorf("%v", r.Err)
				}
				return
			}
			got := map[string]string{}
			for _, s := range r.Settings {
				if s.Source == "JAEGER_TAGS" {
					got[strings.TrimPrefix(s.Name, "tag.")] = s.Value
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" || r.Err != nil {
				t.Errorf("%v (-want +got):\n%s", r.Err, diff)
			}
		})
	}
	_, err := tracerinit.Start(local(tracerinit.Config{LookupEnv: env("JAEGER_TAGS=token=hush-hush,more")}))
	if err == nil || strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("a list with a token: %v", err)
	}
}
