package httpmw

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// tagWriter collects tags in the chosen vocabulary.
type tagWriter struct {
	*config
	span *rpcspan.Span
	tags *rpcspan.Tags // nil where there are none to set
}

func (t tagWriter) set(key string, value any) { t.tags.Set(key, value) }

func (t tagWriter) add(tag *semconv.Tag, value any) { t.tags.Add(tag, value) }

func (t tagWriter) method(method string) {
	tag, known := methodTag(method)
	t.add(semconv.HTTPMethod, tag)
	if !known {
		t.add(semconv.HTTPMethodOriginal, strings.Clone(model.Cut(method, semconv.MaxMethod)))
	}
}

// statusTags are boxed status codes.
var statusTags = func() (tags [600]any) {
	for code := range tags {
		tags[code] = uint16(code)
	}
	return tags
}()

// status sets the status code.
func (t tagWriter) status(code int) {
	if code <= 0 || code > 999 {
		return
	}
	tag := any(uint16(code))
	if code < len(statusTags) {
		tag = statusTags[code]
	}
	t.add(semconv.HTTPStatusCode, tag)
}

func (t tagWriter) sizes(request, response int64) {
	if request > 0 {
		t.add(semconv.HTTPRequestSize, request)
	}
	if response >= 0 {
		t.add(semconv.HTTPResponseSize, response)
	}
}

func (t tagWriter) firstByte(after time.Duration) {
	t.add(semconv.HTTPFirstByte, float64(after)/float64(time.Millisecond))
}

func (t tagWriter) protocol(major, minor int) {
	if !semconv.WritesOTel(t.semconv) {
		return
	}
	version := strconv.Itoa(major)
	if major < 2 {
		version += "." + strconv.Itoa(minor)
	}
	t.add(semconv.NetworkProtocolVersion, t.values.text(version))
}

func (t tagWriter) headers(tags []headerTag, h http.Header, host string) {
	for _, tag := range tags {
		values := h[tag.header]
		if tag.header == "Host" && len(values) == 0 && host != "" {
			values = []string{host}
		}
		if value := tag.value(values); value != "" {
			t.set(tag.tag, value)
		}
	}
}

// value returns what is recorded of a header with these values, "" if there are none. Secrets are masked before
// anything is cut, so that no half of one remains.
func (tag headerTag) value(values []string) string {
	switch {
	case len(values) == 0:
		return ""
	case len(values) == 1:
		return model.Cut(semconv.MaskHeader(tag.header, values[0]), semconv.MaxHeader)
	case semconv.IsSecret(tag.header):
		return semconv.Redacted
	}
	var b strings.Builder
	for i := 0; i < len(values) && b.Len() <= semconv.MaxHeader; i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		value := semconv.MaskText(values[i])
		b.WriteString(value[:min(len(value), semconv.MaxHeader)])
	}
	return model.Cut(b.String(), semconv.MaxHeader)
}

// headerTag is a header and the tag it becomes.
type headerTag struct{ header, tag string }

// headerTags adds the tags of the named headers to tags, each once.
func headerTags(tags []headerTag, prefix string, names []string) []headerTag {
	for _, name := range names {
		t := headerTag{textproto.CanonicalMIMEHeaderKey(name), prefix + strings.ToLower(name)}
		if name != "" && !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}
