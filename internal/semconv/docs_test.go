package semconv_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/semconv"
)

var update = flag.Bool("update", false, "write docs/tags.md")

const docsFile = "../../docs/tags.md"

func TestDocsListEveryTag(t *testing.T) {
	want := page()
	if *update {
		if err := os.WriteFile(docsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/tags.md is not what the tags say: run go test ./internal/semconv -update")
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# Tags

What the kit writes on spans. The vocabulary is chosen by ` + "`WithSemconv`" + `: ` + "`OpenTracing`" + `, the default, ` + "`OTel`" + ` or ` + "`Both`" + `.
A name that stands in both columns is written in every vocabulary. A tag that ` + "`WithTags`" + ` sets is never overwritten.

This page is generated from ` + "`internal/semconv`" + ` by ` + "`go test ./internal/semconv -update`" + `.
`)
	for _, part := range []struct {
		title string
		match func(s semconv.Side) bool
	}{
		{"HTTP and gRPC", func(s semconv.Side) bool { return s&semconv.HTTP != 0 && s&semconv.GRPC != 0 }},
		{"HTTP", func(s semconv.Side) bool { return s&semconv.HTTP != 0 && s&semconv.GRPC == 0 }},
		{"gRPC", func(s semconv.Side) bool { return s&semconv.HTTP == 0 && s&semconv.GRPC != 0 }},
		{"Process", func(s semconv.Side) bool { return s == semconv.Process }},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| OpenTracing | OTel | type | on spans of | when | meaning |\n|---|---|---|---|---|---|\n", part.title)
		for _, tag := range semconv.Tags() {
			if part.match(tag.Sides) {
				b.WriteString(row(tag))
			}
		}
	}
	fmt.Fprintf(&b, `
## Headers and metadata

Chosen headers are written as `+"`%s<name>`"+` and `+"`%s<name>`"+`, chosen metadata as
`+"`%s<key>`"+` or, in OTel's vocabulary, `+"`%s<key>`"+`. Secrets among them are masked. Chosen baggage
items are written as `+"`%s<key>`"+`.

## Secrets

The values of secrets are `+"`%s`"+` in header and metadata tags, in the parameters of URLs and in the texts of errors and
panics; the user of a URL is left out. A name is that of a secret if it ends in a word such as token, secret, password,
signature, credential, authorization, cookie or api_key; case, percent-encoding, the characters `+"`-_.[]`"+`, an index, a
version, words such as hash or value and a random end do not matter: `+"`tokens[0]`"+`, signature_v2, password_hash and
session_9f2c41d7 are secrets. Short names such as auth and sid count in URLs, headers, metadata and name=value without
spaces; key and code in the first three only. What marks a position in a list is shown: page_token, next_page_token,
continuationToken and the like. JSON web tokens, private keys and tokens of a known form, such as those of GitHub, Slack,
Stripe and AWS, are found under any name. User-Agent headers are masked like other texts.

## Limits

Messages are cut at %d bytes, stacks at %d, URLs at %d, headers at %d, metadata at %d, baggage at %d, unknown methods at
%d.
`, semconv.PrefixRequestHeader, semconv.PrefixResponseHeader, semconv.PrefixMetadata, semconv.PrefixOTelMetadata,
		semconv.PrefixBaggage, semconv.Redacted,
		semconv.MaxMessage, semconv.MaxStack, semconv.MaxURL, semconv.MaxHeader, semconv.MaxMetadata, semconv.MaxBaggage, semconv.MaxMethod)
	return b.String()
}

func row(tag *semconv.Tag) string {
	openTracing, otel := code(tag.OpenTracing), code(tag.OTel)
	if tag.InAll && tag.OTel == "" {
		otel = openTracing
	}
	kind := string(tag.Type)
	if tag.Unit != "" {
		kind += ", " + tag.Unit
	}
	when := tag.When
	if when == "" {
		when = "always"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", openTracing, otel, kind, sides(tag.Sides), when, tag.Meaning)
}

func code(name string) string {
	if name == "" {
		return "–"
	}
	return "`" + name + "`"
}

func sides(s semconv.Side) string {
	var names []string
	for _, side := range []struct {
		bit  semconv.Side
		name string
	}{
		{semconv.HTTPServer, "HTTP server"}, {semconv.HTTPClient, "HTTP client"},
		{semconv.GRPCServer, "gRPC server"}, {semconv.GRPCClient, "gRPC client"}, {semconv.Process, "process"},
	} {
		if s&side.bit != 0 {
			names = append(names, side.name)
		}
	}
	switch s {
	case semconv.Any:
		return "all"
	case semconv.Server:
		return "servers"
	case semconv.Client:
		return "clients"
	case semconv.HTTP, semconv.GRPC:
		return "both sides"
	}
	return strings.Join(names, ", ")
}
