package semconv_test

import (
	"fmt"
	"testing"

	"github.com/spanloom/spanloom/internal/semconv"
)

func TestKeysAreThoseOfTheVocabulary(t *testing.T) {
	for _, tt := range []struct {
		name          string
		tag           *semconv.Tag
		vocabulary    semconv.Vocabulary
		first, second string
	}{
		{"two names, OpenTracing", semconv.HTTPMethod, semconv.OpenTracing, "http.method", ""},
		{"two names, OTel", semconv.HTTPMethod, semconv.OTel, "", "http.request.method"},
		{"two names, Both", semconv.HTTPMethod, semconv.Both, "http.method", "http.request.method"},
		{"one name in both", semconv.HTTPRoute, semconv.Both, "http.route", ""},
		{"one name in both, OTel", semconv.HTTPRoute, semconv.OTel, "", "http.route"},
		{"in all vocabularies", semconv.HTTPStatusCode, semconv.OTel, "http.status_code", "http.response.status_code"},
		{"OTel's alone", semconv.URLPath, semconv.OpenTracing, "", ""},
		{"OpenTracing's alone", semconv.PeerIPv4, semconv.OTel, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if first, second := tt.tag.Keys(tt.vocabulary); first != tt.first || second != tt.second {
				t.Errorf("keys %q and %q, want %q and %q", first, second, tt.first, tt.second)
			}
		})
	}
}

// A name stands for one fact on one side, in one vocabulary.
func TestNamesAreUnique(t *testing.T) {
	for _, v := range []semconv.Vocabulary{semconv.OpenTracing, semconv.OTel} {
		t.Run(fmt.Sprintf("vocabulary %d", v), func(t *testing.T) {
			seen := map[string]semconv.Side{}
			for _, tag := range semconv.Tags() {
				for _, key := range keys(tag, v) {
					if seen[key]&tag.Sides != 0 {
						t.Errorf("vocabulary %d: %s is defined twice for one side", v, key)
					}
					seen[key] |= tag.Sides
				}
			}
		})
	}
}

func TestTagsAreComplete(t *testing.T) {
	for _, tag := range semconv.Tags() {
		if tag.OpenTracing == "" && tag.OTel == "" || tag.Type == "" || tag.Sides == 0 || tag.Meaning == "" {
			t.Errorf("incomplete: %+v", tag)
		}
		if tag.InAll && tag.OpenTracing == "" {
			t.Errorf("%s: InAll without a name", tag.OTel)
		}
	}
}

func keys(tag *semconv.Tag, v semconv.Vocabulary) (all []string) {
	first, second := tag.Keys(v)
	for _, key := range []string{first, second} {
		if key != "" {
			all = append(all, key)
		}
	}
	return all
}
