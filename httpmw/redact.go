package httpmw

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

const redacted = "REDACTED"

// maxURL bounds recorded URLs.
const maxURL = semconv.MaxURL

// secretParams are query parameters whose values are not recorded, in lower case.
var secretParams = map[string]bool{
	"awsaccesskeyid": true, "signature": true, "sig": true, "x-goog-signature": true, "x-goog-credential": true,
	"x-amz-signature": true, "x-amz-credential": true, "x-amz-security-token": true,
	"token": true, "access_token": true, "refresh_token": true, "id_token": true, "auth_token": true,
	"x-access-token": true, "jwt": true, "code": true, "assertion": true,
	"password": true, "passwd": true, "pwd": true, "passphrase": true, "secret": true, "client_secret": true,
	"api_key": true, "apikey": true, "api-key": true, "x-api-key": true, "key": true, "private_key": true,
	"auth": true, "authorization": true, "credential": true, "credentials": true,
	"session": true, "sessionid": true, "session_id": true, "sid": true,
}

// redactQuery replaces the values of secret parameters. It allocates only if there is one, and gives up on what is too
// long to be recorded: "" then.
func redactQuery(query string) string {
	var out strings.Builder
	kept := 0 // query[:kept] is in out
	for start := 0; start < len(query); {
		if out.Len()+start-kept > maxURL {
			return ""
		}
		end := len(query)
		if i := strings.IndexAny(query[start:], "&;"); i >= 0 {
			end = start + i
		}
		if eq := strings.IndexByte(query[start:end], '='); eq >= 0 && isSecret(query[start:start+eq]) {
			out.WriteString(query[kept : start+eq+1])
			out.WriteString(redacted)
			kept = end
		}
		start = end + 1
	}
	switch {
	case out.Len()+len(query)-kept > maxURL:
		return ""
	case kept == 0:
		return query
	}
	out.WriteString(query[kept:])
	return out.String()
}

func isSecret(key string) bool {
	if len(key) > 64 {
		return false
	}
	if strings.ContainsAny(key, "%+") {
		if plain, err := url.QueryUnescape(key); err == nil {
			key = plain
		}
	}
	for _, c := range []byte(key) {
		if 'A' <= c && c <= 'Z' {
			key = strings.ToLower(key)
			break
		}
	}
	return secretParams[key]
}

// location is a URL as it may be recorded: redacted, and the query left out first if it is too long.
type location struct{ full, path, query string }

// locate returns the URL of a request. On a server it is put together from what the client sent.
func locate(s *rpcspan.Span, c *config, r *http.Request, scheme string) location {
	if c.redact != nil {
		if full, ok := redactByHook(s, c.redact, r, scheme); ok {
			return split(full)
		}
	}
	host, path, query := r.Host, "", r.URL.RawQuery
	if scheme == "" { // a client's request
		scheme, host = r.URL.Scheme, r.URL.Host
	}
	if uri := r.RequestURI; strings.HasPrefix(uri, "/") {
		path, query, _ = strings.Cut(uri, "?")
	} else if strings.Contains(uri, "://") { // as proxies are asked
		path, query, _ = strings.Cut(afterHost(uri), "?")
	} else if path = escapedPath(r.URL); path == "" && r.URL.Opaque != "" {
		path, _, _ = strings.Cut(r.URL.Opaque, "?")
		path = strings.TrimPrefix(path, "//")
		if _, after, ok := strings.Cut(path, "/"); ok {
			path = "/" + after
		} else {
			path = ""
		}
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	query = redactQuery(query)
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
	rest := loc.full[len(scheme)+len("://")+len(host):] // not to hold on to all of the request
	loc.path, loc.query = rest[:len(path)], rest[len(rest)-len(query):]
	return loc
}

// escapedPath is u.EscapedPath, or the beginning of one that is too long to be recorded.
func escapedPath(u *url.URL) string {
	if len(u.Path) > maxURL {
		u = &url.URL{Path: u.Path[:maxURL]}
	}
	return u.EscapedPath()
}

// afterHost returns what follows the host of a URL, or all of it if there is none.
func afterHost(full string) string {
	_, rest, absolute := strings.Cut(full, "://")
	if !absolute {
		return full
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

// message is the text of an error, whose methods may panic, without the secrets of the URLs that it quotes.
func (t tagWriter) message(err error) (text string) {
	text = fmt.Sprint(err)
	defer func() { _ = recover() }()
	var quoted *url.Error
	for ; errors.As(err, &quoted) && quoted != nil; err = quoted.Err {
		text = strings.ReplaceAll(text, strconv.Quote(quoted.URL), strconv.Quote(t.redactText(quoted.URL)))
	}
	return text
}

func (t tagWriter) redactText(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return redacted
	}
	if t.redact != nil {
		full, _ := redactByHook(t.span, t.redact, &http.Request{URL: u}, "")
		return full
	}
	u.User, u.RawQuery = nil, redactQuery(u.RawQuery)
	return u.String()
}
