package traceview_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestOnlyLoopbackCallersAreAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		remote, host string
		header       string
		want         int
	}{
		"loopback":               {"127.0.0.1:1234", "localhost:8080", "", 200},
		"all of 127/8":           {"127.8.9.1:1234", "127.8.9.1", "", 200},
		"IPv6":                   {"[::1]:1234", "[::1]:8080", "", 200},
		"IPv6 without port":      {"[::1]:1234", "[::1]", "", 200},
		"IPv4 in IPv6":           {"[::ffff:127.0.0.1]:1234", "127.0.0.1:8080", "", 200},
		"name under localhost":   {"127.0.0.1:1234", "shop.localhost:8080", "", 200},
		"dot at the end":         {"127.0.0.1:1234", "LOCALHOST.:8080", "", 200},
		"the network":            {"192.168.1.7:1234", "localhost:8080", "", 403},
		"the network, own Host":  {"192.168.1.7:1234", "192.168.1.5:8080", "", 403},
		"no address":             {"@", "localhost", "", 403},
		"rebound name":           {"127.0.0.1:1234", "evil.example:8080", "", 403},
		"name like localhost":    {"127.0.0.1:1234", "localhost.evil.example", "", 403},
		"name before localhost":  {"127.0.0.1:1234", "evillocalhost", "", 403},
		"own public address":     {"127.0.0.1:1234", "192.168.1.5:8080", "", 403},
		"unspecified address":    {"127.0.0.1:1234", "0.0.0.0:8080", "", 403},
		"no Host":                {"127.0.0.1:1234", "", "", 403},
		"X-Forwarded-For":        {"127.0.0.1:1234", "localhost", "X-Forwarded-For", 403},
		"X-Forwarded-Host":       {"127.0.0.1:1234", "localhost", "X-Forwarded-Host", 403},
		"Forwarded":              {"127.0.0.1:1234", "localhost", "Forwarded", 403},
		"X-Real-IP":              {"127.0.0.1:1234", "localhost", "X-Real-IP", 403},
		"Via":                    {"127.0.0.1:1234", "localhost", "Via", 403},
		"CF-Connecting-IP":       {"127.0.0.1:1234", "localhost", "CF-Connecting-IP", 403},
		"True-Client-IP":         {"127.0.0.1:1234", "localhost", "True-Client-IP", 403},
		"a header of no meaning": {"127.0.0.1:1234", "localhost", "X-Request-ID", 200},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			for _, path := range []string{"/debug/traces/", "/debug/traces/api/services", "/debug/traces/static/view.css", "/debug/traces/nothing"} {
				t.Run(path, func(t *testing.T) {
					r := httptest.NewRequest("GET", path, nil)
					r.RemoteAddr, r.Host = c.remote, c.host
					if c.header != "" {
						r.Header.Set(c.header, "127.0.0.1")
					}
					w := httptest.NewRecorder()
					v.ServeHTTP(w, r)
					want := c.want
					if want == 200 && path == "/debug/traces/nothing" {
						want = 404
					}
					if w.Code != want {
						t.Errorf("%d, want %d: %s", w.Code, want, w.Body)
					}
					if w.Code == 403 && !strings.Contains(w.Body.String(), "Config.Allow") {
						t.Errorf("the refusal does not tell of Config.Allow: %s", w.Body)
					}
				})
			}
		})
	}
}

func TestAllowDecidesAlone(t *testing.T) {
	v := newView(t, traceview.Config{Allow: func(r *http.Request) bool { return r.Header.Get("X-Key") == "k" }})
	r := httptest.NewRequest("GET", "http://traces.example/debug/traces/", nil)
	w := httptest.NewRecorder()
	if v.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("without the key: %d, want 403", w.Code)
	}
	r.Header.Set("X-Key", "k")
	r.Header.Set("X-Forwarded-For", "1.2.3.4")
	w = httptest.NewRecorder()
	if v.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("with the key: %d, want 200", w.Code)
	}
}

func TestBrowsersOfOtherOriginsCannotPost(t *testing.T) {
	v := newView(t, traceview.Config{})
	for _, path := range []string{"v1/traces", "api/traces", "clear"} {
		t.Run(path, func(t *testing.T) {
			post := func(header ...string) int {
				return call(v, "POST", "/debug/traces/"+path, strings.NewReader("{}"), append(header, "Content-Type", "application/json")...).Code
			}
			if code := post("Sec-Fetch-Site", "cross-site"); code != 403 {
				t.Errorf("%s across sites: %d, want 403", path, code)
			}
			if code := post("Origin", "http://evil.example"); code != 403 {
				t.Errorf("%s of another origin: %d, want 403", path, code)
			}
			if code := post("Sec-Fetch-Site", "same-origin"); code == 403 {
				t.Errorf("%s of the page itself is refused", path)
			}
			if code := post(); code == 403 {
				t.Errorf("%s of a program that is no browser is refused", path)
			}
		})
	}
}

func TestNothingChangesByGet(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := traceHex(shopTrace(t, v))
	before := traceview.CountsOf(v).Change
	for _, p := range []string{"", "trace/" + trace, "operations", "services", "api/services", "v1/traces", "clear", "api/traces?service=shop"} {
		call(v, "GET", "/debug/traces/"+p, nil)
		call(v, "HEAD", "/debug/traces/"+p, nil)
	}
	call(v, "HEAD", "/debug/traces/events", nil) // returns
	if traceview.CountsOf(v).Change != before {
		t.Error("a GET changed something")
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		t.Run(method, func(t *testing.T) {
			if w := call(v, method, "/debug/traces/trace/"+trace, nil); w.Code != 405 {
				t.Errorf("%d, want 405", w.Code)
			}
		})
	}
}

func TestEveryAnswerHasThePolicy(t *testing.T) {
	v := newView(t, traceview.Config{})
	for _, p := range []string{"", "static/view.js", "api/services", "nothing", "trace/xyz"} {
		t.Run(cmp.Or(p, "list"), func(t *testing.T) {
			h := call(v, "GET", "/debug/traces/"+p, nil).Header()
			if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; ") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%q: headers %v", p, h)
			}
		})
	}
	policy := call(v, "GET", "/debug/traces/", nil).Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		contains(t, policy, part)
	}
	if strings.Contains(policy, "unsafe") {
		t.Error("the policy has an unsafe part")
	}
}

const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'--><svg/onload=alert(3)> javascript:alert(4) {{.}} ` + "\x00\xff\u2028\u202e"

// hostileTrace has evil in every place that a caller can fill.
func hostileTrace(t *testing.T, v *traceview.View) model.TraceID {
	tags := []model.Tag{tag(evil, evil), {Key: "error", Value: model.String(evil)}, tag("span.kind", evil), tag("error.kind", evil),
		{Key: evil + "b", Value: model.Bytes([]byte(evil))}, tag("long", strings.Repeat(evil, 20)), failed}
	s := model.Span{TraceID: id(0x666), SpanID: 1, Name: evil, Start: noon, Duration: ms(5), Tags: tags, TraceState: evil,
		Logs: []model.Log{{Time: noon, Fields: append([]model.Tag{tag("event", evil)}, tags...)}},
		Refs: []model.Ref{{TraceID: id(1), SpanID: 9}}}
	traceview.Put(v, model.Process{Service: evil, Tags: []model.Tag{tag(evil, evil)}}, s, 3)
	put(t, v, "other"+evil, model.Span{TraceID: id(0x666), SpanID: 2, ParentID: 1, Name: evil, Start: noon, Duration: ms(1)})
	return s.TraceID
}

var forbiddenMarkup = regexp.MustCompile(`<[a-z][^>]*?\s(on\w+|style)\s*=`)

// unquoted is a page without what stands in quotation marks.
func unquoted(page string) string {
	parts := strings.Split(page, `"`)
	var outside []string
	for i := 0; i < len(parts); i += 2 {
		outside = append(outside, parts[i])
	}
	if len(parts)%2 == 0 { // the last quotation mark has no other
		outside = append(outside, parts[len(parts)-1])
	}
	return strings.Join(outside, `""`)
}

// inert fails if the page holds markup that its templates do not.
func inert(t *testing.T, name, page string) {
	t.Helper()
	lower := strings.ToLower(page)
	for _, bad := range []string{"<script>", "<img", "<svg/", `href="javascript`, "onerror=alert(2)>"} {
		if strings.Contains(lower, bad) {
			t.Errorf("%s holds %q", name, bad)
		}
	}
	for _, m := range forbiddenMarkup.FindAllString(unquoted(page), -1) {
		t.Errorf("%s has markup that the policy forbids: %s", name, m)
	}
	own := strings.Count(lower, `static/view.js" defer></script>`) + strings.Count(lower, `static/trace.js" defer></script>`) +
		strings.Count(lower, `static/beside.js" defer></script>`) +
		strings.Count(lower, `<script type="application/json" id="data">`)
	if n := strings.Count(lower, "<script"); n != own || strings.Count(lower, "</script") != own {
		t.Errorf("%s has %d scripts, want its own %d", name, n, own)
	}
	if i := strings.IndexAny(page, "\u202e\u2066"); i >= 0 {
		t.Errorf("%s holds a character that turns the text after it: %+q", name, page[i:min(i+30, len(page))])
	}
	if !utf8.ValidString(page) {
		t.Errorf("%s is no valid UTF-8", name)
	}
}

func TestHostileSpansStayText(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := traceHex(hostileTrace(t, v))
	clean := strings.ToValidUTF8(evil, "\ufffd")
	q := "?service=" + escape(clean) + "&operation=" + escape(clean)
	for _, p := range []string{
		"", q, q + "&tag=" + escape(evil+"="+evil), "trace/" + trace, "trace/" + trace + "?span=" + spanHex(1) + "&fold=" + escape(evil),
		"trace/" + trace + "/span/" + spanHex(1), "operations", "operations" + q + "&kind=" + escape(clean), "services",
		"compare?a=" + trace, "compare?a=" + trace + "&b=" + trace, "compare?a=" + trace + "&q=" + escape(evil), "beside" + q, "beside",
	} {
		t.Run(cmp.Or(p, "list"), func(t *testing.T) {
			inert(t, p, get(t, v, "/debug/traces/"+p))
		})
	}
	for _, p := range []string{"?min=" + escape(evil), "?trace=" + escape(evil), "trace/" + escape(evil), "operations" + q, "?service=" + escape(evil), "trace/" + escape("../"+evil)} {
		t.Run(p, func(t *testing.T) {
			inert(t, p, call(v, "GET", "/debug/traces/"+p, nil).Body.String())
		})
	}
	page := get(t, v, "/debug/traces/trace/"+trace+"?span="+spanHex(1))
	contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
}
