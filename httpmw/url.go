package httpmw

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// maxURL bounds recorded URLs.
const maxURL = semconv.MaxURL

// location is a URL as it may be recorded: without secrets, and without its query if it is too long.
type location struct{ full, path, query string }

// recordedURL returns the URL of a request. On a server, where scheme is not empty, it is put together from what the
// client has sent.
func recordedURL(s *rpcspan.Span, c *config, r *http.Request, scheme string) location {
	if c.redact != nil {
		if full, ok := redactByHook(s, c.redact, r, scheme); ok {
			return split(full)
		}
	}
	host := r.Host
	if scheme == "" {
		scheme, host = r.URL.Scheme, r.URL.Host
	}
	path, query := sentPath(r)
	host = host[strings.LastIndexByte(host, '@')+1:]
	path = semconv.MaskPath(path[:min(len(path), 4*maxURL)], 0)
	query = semconv.MaskQuery(query, maxURL)
	size := len(scheme) + len("://") + len(host) + len(path)
	if size > maxURL {
		path, query = path[:max(0, len(path)-(size-maxURL))], ""
	} else if query != "" && size+1+len(query) > maxURL {
		query = ""
	}
	if len(host) > maxURL {
		host = ""
	}
	loc := location{full: join(scheme, host, path, query)}
	rest := loc.full[len(scheme)+len("://")+len(host):] // part of full, so that the request is not kept in memory
	loc.path, loc.query = rest[:len(path)], rest[len(rest)-len(query):]
	return loc
}

// sentPath returns the escaped path and the query of a request.
func sentPath(r *http.Request) (path, query string) {
	query = r.URL.RawQuery
	if uri := r.RequestURI; strings.HasPrefix(uri, "/") {
		path, query, _ = strings.Cut(uri, "?")
	} else if strings.Contains(uri, "://") { // a request to a proxy
		path, query, _ = strings.Cut(afterHost(uri), "?")
	} else if path = escapedPath(r.URL); path == "" && r.URL.Opaque != "" {
		path, _, _ = strings.Cut(r.URL.Opaque, "?")
		path = strings.TrimPrefix(path, "//")
		if _, after, ok := strings.Cut(path, "/"); ok {
			return "/" + after, query
		}
		return "", query
	}
	return path, query
}

// escapedPath returns u.EscapedPath, or the beginning of one that is too long to be recorded.
func escapedPath(u *url.URL) string {
	if len(u.Path) > maxURL {
		u = &url.URL{Path: u.Path[:maxURL]}
	}
	return u.EscapedPath()
}

// afterHost returns what follows the host of a URL. If s is not a URL, it returns s.
func afterHost(s string) string {
	_, rest, absolute := strings.Cut(s, "://")
	if !absolute {
		return s
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return rest[i:]
	}
	return ""
}

func join(scheme, host, path, query string) string {
	if query == "" {
		return scheme + "://" + host + path
	}
	return scheme + "://" + host + path + "?" + query
}

func redactByHook(s *rpcspan.Span, hook func(*url.URL) string, r *http.Request, scheme string) (full string, ok bool) {
	u := *r.URL
	if scheme != "" {
		u.Scheme, u.Host = scheme, r.Host
	}
	defer s.RecoverHook()
	return hook(&u), true
}

func split(full string) location {
	if len(full) > maxURL {
		full, _, _ = strings.Cut(full, "?")
		full = strings.Clone(full[:min(len(full), maxURL)])
	}
	loc := location{full: full}
	loc.path, loc.query, _ = strings.Cut(afterHost(full), "?")
	return loc
}

// message returns the text of an error without secrets. Methods of the error may panic. The user's redaction decides
// about the URLs in it, if there is one.
func (t tagWriter) message(err error) string {
	text := fmt.Sprint(err)
	if t.redact != nil {
		text = t.redactURLs(text)
	}
	return semconv.MaskText(text)
}

const (
	maxRedacted = 8192 // bytes of a text in which the user's hook redacts URLs
	maxHooked   = 8    // URLs of a text that it is called for; others are not shown
	urlEnds     = " \t\r\n\"'`<>"
)

// redactURLs replaces the URLs in text by what the user's hook makes of them.
func (t tagWriter) redactURLs(text string) string {
	text = text[:min(len(text), maxRedacted)]
	var out strings.Builder
	for n := 0; ; n++ {
		colon := strings.Index(text, "://")
		if colon < 0 {
			break
		}
		begin := colon
		for begin > 0 && ('a' <= text[begin-1]|0x20 && text[begin-1]|0x20 <= 'z') {
			begin--
		}
		end := len(text)
		if i := strings.IndexAny(text[colon:], urlEnds); i >= 0 {
			end = colon + i
		}
		out.WriteString(text[:begin])
		out.WriteString(t.redactURL(text[begin:end], n < maxHooked))
		text = text[end:]
	}
	out.WriteString(text)
	return out.String()
}

func (t tagWriter) redactURL(raw string, hook bool) (shown string) {
	shown = semconv.Redacted
	if u, err := url.Parse(raw); err == nil && hook {
		if full, ok := redactByHook(t.span, t.redact, &http.Request{URL: u}, ""); ok {
			shown = full
		}
	}
	return shown
}
