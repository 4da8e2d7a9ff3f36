package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// answer is what became of one request.
type answer struct {
	code   int // 0: there was no answer
	reply  []byte
	err    error // nil: the batch was taken
	broken bool  // the connection ended before an answer
}

// read reads the start of resp's body and decides what the answer means.
func (p *Poster) read(resp *http.Response) answer {
	var body []byte
	if resp.StatusCode != http.StatusSwitchingProtocols { // what follows that is a connection, which has no end
		body, _ = io.ReadAll(io.LimitReader(resp.Body, replyBytes))
	}
	a := answer{code: resp.StatusCode}
	status := fmt.Sprintf("%d %s", a.code, http.StatusText(a.code))
	html := isHTML(resp.Header.Get("Content-Type"), body)
	switch {
	case a.code/100 == 2 && html:
		a.err = p.Refused(status, "", "an HTML page, which no receiver of spans answers with: is this the right address?")
	case a.code/100 == 2 && isHealth(body):
		a.err = p.Refused(status, "", "a report of health: this is another port than the one for spans")
	case a.code/100 == 2:
		a.reply = body
	default:
		a.err = p.refusal(resp, status, Reason(resp.Header.Get("Content-Type"), body, p.Explain))
	}
	return a
}

func (p *Poster) refusal(resp *http.Response, status, why string) error {
	err := p.Refused(status, why, p.refusalHint(resp, why))
	switch code := resp.StatusCode; {
	case code == http.StatusRequestEntityTooLarge, code/100 >= 4 && SaysTooLarge(why):
		return &TooLargeError{err}
	case p.Retry(code):
		after := retryAfter(resp.Header, time.Now())
		return &RetryError{
			Err: err, After: after, Suspect: p.Suspect && code/100 == 5,
			Others: code == http.StatusBadGateway || code == http.StatusGatewayTimeout,
		}
	}
	return err
}

func (p *Poster) refusalHint(resp *http.Response, why string) string {
	switch code := resp.StatusCode; {
	case code/100 == 3:
		return "a redirect, which is not followed: use the address that it leads to"
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "application/grpc"), resp.Header.Get("Grpc-Status") != "",
		strings.Contains(why, "gRPC request"):
		return "this looks like a gRPC port: " + p.GRPCHint
	case code == http.StatusBadRequest && strings.Contains(strings.ToLower(why), "https"):
		return hintTLS
	case (code == http.StatusUnsupportedMediaType || code == http.StatusBadRequest) && p.Gzip == GzipAlways:
		return "the body is compressed since WithCompression or OTEL_EXPORTER_OTLP_COMPRESSION says so"
	case code == http.StatusProxyAuthRequired:
		return "a proxy says so: HTTP_PROXY has to hold a user and a password that it takes"
	case code == http.StatusNotFound:
		return "is the path of the endpoint right?"
	case code == http.StatusMethodNotAllowed:
		return "are the port and the path of the endpoint right?"
	case mediaType(p.Header.Get("Content-Type")) != p.ContentType:
		return "the header Content-Type that is configured is not " + p.ContentType + ", which the body is: leave it out"
	}
	return ""
}

// mediaType returns a Content-Type without its parameters, in lower case.
func mediaType(contentType string) string {
	media, _, _ := mime.ParseMediaType(contentType)
	return media
}

// isHTML reports whether an answer is a page for people, as of a captive portal or a login, whatever it claims to be.
func isHTML(contentType string, body []byte) bool {
	media := mediaType(contentType)
	return media == "text/html" || media == "application/xhtml+xml" ||
		strings.HasPrefix(http.DetectContentType(body), "text/html")
}

// isHealth reports whether an answer is that of the health check of Jaeger or of the OpenTelemetry Collector, which
// answer so to requests of every kind.
func isHealth(body []byte) bool {
	var health struct{ Status, UpSince string }
	return json.Unmarshal(body, &health) == nil && health.Status != "" && health.UpSince != ""
}

// SaysTooLarge reports whether the reason of a refusal is that the message is over the limit of its receiver, in the
// words of servers of HTTP and of the implementations of gRPC, of which not all have a status for it.
func SaysTooLarge(why string) bool {
	why = strings.ToLower(why)
	for _, words := range []string{
		"body too large", "body is too large", "message too large", "payload too large", "entity too large",
		"request too large", "content too large", "larger than max", "exceeds maximum size", "exceeds the maximum size",
	} {
		if strings.Contains(why, words) {
			return true
		}
	}
	return false
}

// Reason returns what the body of a refusal says. explain reads it in a format of the protocol, and may be nil.
func Reason(contentType string, body []byte, explain func([]byte) string) string {
	if isHTML(contentType, body) {
		return title(body)
	}
	if strings.Contains(contentType, "json") || json.Valid(body) {
		return jsonReason(body)
	}
	if explain != nil {
		if why := explain(body); why != "" {
			return why
		}
	}
	if !utf8.Valid(body) && len(body) < replyBytes {
		return ""
	}
	return string(body)
}

// title returns the title of an HTML page.
func title(body []byte) string {
	lower := bytes.ToLower(body)
	from := bytes.Index(lower, []byte("<title>"))
	if from < 0 {
		return ""
	}
	from += len("<title>")
	to := bytes.Index(lower[from:], []byte("</title>"))
	if to < 0 || from+to > len(body) {
		return ""
	}
	return string(body[from : from+to])
}

// jsonReason returns the text in a JSON object that backends give their reason in, or all of the JSON.
func jsonReason(body []byte) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) == nil {
		for _, key := range []string{"message", "error", "error_description", "detail", "reason", "errors"} {
			if raw, ok := object[key]; ok {
				return jsonText(raw)
			}
		}
	}
	return string(body)
}

func jsonText(raw json.RawMessage) string {
	var s string
	var list []json.RawMessage
	switch {
	case json.Unmarshal(raw, &s) == nil:
		return s
	case json.Unmarshal(raw, &list) == nil && len(list) > 0:
		return jsonText(list[0])
	}
	var inner struct{ Message *string }
	if json.Unmarshal(raw, &inner) == nil && inner.Message != nil {
		return *inner.Message
	}
	return string(raw)
}

// retryAfter reads a Retry-After header: seconds or a date; 0 if it holds neither. A date is one of the server's clock,
// which the Date header shows, and which may differ from this one's.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	seconds, err := strconv.ParseInt(value, 10, 32)
	if err == nil || errors.Is(err, strconv.ErrRange) { // then it is the largest, or the smallest
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(value); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date
		}
		return max(at.Sub(now), 0)
	}
	return 0
}
