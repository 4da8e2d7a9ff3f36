package semconv_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/semconv"
)

func TestIsSecret(t *testing.T) {
	for _, name := range []string{
		"token", "TOKEN", "accessToken", "access_token", "access-token", "access.token", "X-Plex-Token", "private_token",
		"user[password]", "user%5Bpassword%5D", "password[]", "password2", "pass%77ord", "passwordConfirmation", "newPwd",
		"clientSecret", "client_secret", "SAMLResponse", "client_assertion", "id_token_hint", "code_verifier",
		"AWSAccessKeyId", "Signature", "X-Amz-Signature", "X-Goog-Credential", "X-Amz-Security-Token", "sig", "key", "code",
		"Authorization", "proxy-authorization", "Authentication", "Cookie", "Set-Cookie", "X-Api-Key", "api_key", "APIKEY",
		"Ocp-Apim-Subscription-Key", "x-functions-key", "DD-APPLICATION-KEY", "jsessionid", "PHPSESSID",
		"ASP.NET_SessionId", "connect.sid", "csrfmiddlewaretoken", "_csrf", "X-XSRF-TOKEN", "X-Hub-Signature-256", "jwt",
		"oauth_verifier", "X-App-Key", "verificationCode", ".ASPXAUTH", "secretAccessKey", "SharedAccessSignature", "pswd",
		"hmac",
		"spring.datasource.password", strings.Repeat("a", 10_000) + "-token", "token" + strings.Repeat("_", 10_000),
	} {
		if !semconv.IsSecret(name) {
			t.Errorf("%.60q is not a secret", name)
		}
	}
	for _, name := range []string{
		"", "_", "42", "author", "authority", "tokenizer", "max_tokens", "monkey", "keyboard", "turkey", "primary_key",
		"sort_key",
		"Sec-WebSocket-Key", "Idempotency-Key", "idempotency_token", "page_token", "next_page_token", "pageToken",
		"NextToken",
		"continuation-token", "syncToken", "token_type", "secretary", "passport", "bypass", "zipcode", "status_code",
		"country_code", "design", "inside", "www-authenticate", "session_count", "signatures_required", "code_challenge",
		"tokén", "пароль", "%", "%zz", "a%", "state", "nonce", "expires", "user", "email",
	} {
		if semconv.IsSecret(name) {
			t.Errorf("%q is a secret", name)
		}
	}
}

func TestMaskHeader(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"Authorization", "Bearer hunter2", "REDACTED"},
		{"x-api-key", "hunter2", "REDACTED"},
		{"Location", "https://a.example/cb?code=hunter2&state=x", "https://a.example/cb?code=REDACTED&state=x"},
		{"X-Tenant", "acme", "acme"},
		{"Www-Authenticate", `Bearer realm="x", error="invalid_token"`, `Bearer realm="x", error="invalid_token"`},
	} {
		if got := semconv.MaskHeader(tt.name, tt.value); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMaskQuery(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{"", ""},
		{"a=1&b=2", "a=1&b=2"},
		{"tokens=1&flag&=&a=b=c", "tokens=1&flag&=&a=b=c"},
		{"token=&x=1", "token=&x=1"},
		{"token=hunter2", "token=REDACTED"},
		{"a=1&Sig=hunter2;b=2", "a=1&Sig=REDACTED;b=2"},
		{"password=hun;ter2&b=2", "password=REDACTED&b=2"},
		{"%74oken=hunter2=x", "%74oken=REDACTED"},
		{"user%5Bpassword%5D=hunter2", "user%5Bpassword%5D=REDACTED"},
		{"key=hunter2&sort_key=name", "key=REDACTED&sort_key=name"},
		{
			"next=https%3A%2F%2Fb%2Fcb%3Ftoken%3Dhunter2%26x%3D1&y=2",
			"next=https%3A%2F%2Fb%2Fcb%3Ftoken%3DREDACTED%26x%3D1&y=2",
		},
		{
			"next=https%253A%252F%252Fb%253Ftoken%253Dhun%252526ter2%2526x&y=2",
			"next=https%253A%252F%252Fb%253Ftoken%253DREDACTED%2526x&y=2",
		},
		{"next=https://b/cb?token=hunter2&y=2", "next=https://b/cb?token=REDACTED&y=2"},
		{"next=https%3A%2F%2Fme%3Ahunter2%40b%2Fcb", "next=https%3A%2F%2Fb%2Fcb"},
		{"next=https://me:hunter2@b/cb", "next=https://b/cb"},
		{"mail=a%40b.example&u=https%3A%2F%2Fb%2F%40me", "mail=a%40b.example&u=https%3A%2F%2Fb%2F%40me"},
		{strings.Repeat("sig=hunter2&", 50), ""},
		{"token=" + strings.Repeat("hunter2", 1000), "token=REDACTED"},
		{strings.Repeat("x", 101), ""},
	} {
		if got := semconv.MaskQuery(tt.query, 100); got != tt.want {
			t.Errorf("%.80s: %q, want %q", tt.query, got, tt.want)
		}
	}
	if got, want := semconv.MaskPath("/a;jsessionid=hunter2/b;v=1", 0), "/a;jsessionid=REDACTED/b;v=1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// fetch is what an error of net/http about url says.
func fetch(url string) string { return `Get "` + url + `": dial tcp: lookup b.example: no such host` }

func TestMaskText(t *testing.T) {
	header := http.Header{"Authorization": {"Bearer hunter2"}, "Cookie": {"a=hunter2; b=hunter2"}, "X-Y": {"z"}}
	parsing := func(raw string) string {
		_, err := url.Parse(raw)
		return err.Error()
	}
	type login struct{ User, Password string }
	for _, tt := range []struct{ text, want string }{
		{
			fetch("https://me:hunter2@b.example/p?access_token=hunter2&x=1#id_token=hunter2"),
			fetch("https://b.example/p?access_token=REDACTED&x=1#id_token=REDACTED"),
		},
		{"GET /cb?code=hunter2&state=1 failed", "GET /cb?code=REDACTED&state=1 failed"},
		{parsing("http://me:hunter2/x@b.example"), `parse "http://b.example": invalid port "REDACTED" after host`},
		{
			parsing("http://me:hun\x7fter2@b.example/hunter2"),
			`parse "http://b.example/hunter2": net/url: invalid control character in URL`,
		},
		{`proxy "socks5://me:hun/ter2@b:1" is down`, `proxy "socks5://b:1" is down`},
		{"app:hunter2@tcp(db:3306)/shop: refused", "app:REDACTED@tcp(db:3306)/shop: refused"},
		{"dial me:hun@ter2@proxy:3128", "dial me:REDACTED@proxy:3128"},
		{"host=db user=app password=hunter2 dbname=shop", "host=db user=app password=REDACTED dbname=shop"},
		{"password = 'hunter2 hunter2' dbname=shop", "password = 'REDACTED' dbname=shop"},
		{"Server=db;Password=hun,ter2;Database=shop", "Server=db;Password=REDACTED;Database=shop"},
		{`{"user":"me","password":"hun\"ter2","n":1}`, `{"user":"me","password":"REDACTED","n":1}`},
		{`body "{\"client_secret\": \"hunter2\",\"n\":1}"`, `body "{\"client_secret\": \"REDACTED\",\"n\":1}"`},
		{fmt.Sprint(map[string]string{"apiKey": "hunter2", "n": "1"}), "map[apiKey:REDACTED n:1]"},
		{fmt.Sprintf("%+v", login{"me", "hunter2"}), "{User:me Password:REDACTED}"},
		{fmt.Sprintf("%#v", login{"me", "hunter2"}), `semconv_test.login{User:"me", Password:"REDACTED"}`},
		{fmt.Sprint(header), "map[Authorization:[REDACTED] Cookie:[REDACTED] X-Y:[z]]"},
		{
			"GET / HTTP/1.1\r\nAuthorization: Bearer hunter2\r\nCookie: a=hunter2; b\r\nX: 1",
			"GET / HTTP/1.1\r\nAuthorization: REDACTED\r\nCookie: REDACTED\r\nX: 1",
		},
		{"sent authorization: bearer hunter", "sent authorization: bearer REDACTED"},
		{"got Bearer hunter2, want none", "got Bearer REDACTED, want none"},
		{"Basic bWU6aHVudGVyMg== is wrong", "Basic REDACTED is wrong"},
		{"X-Api-Key: hunter2", "X-Api-Key: REDACTED"},
		{"login: password: hunter", "login: password: REDACTED"},
		{"token eyJhbGciOiJI.eyJzdWIiOiJ.hunter2 is too old", "token REDACTED is too old"},
		{
			"callback https%3A%2F%2Fb%3Ftoken%3Dhunter2%26x%3D1 refused",
			"callback https%3A%2F%2Fb%3Ftoken%3DREDACTED%26x%3D1 refused",
		},
		{
			"Signature=hunter2, SignedHeaders=host, Credential=AK/hunter2",
			"Signature=REDACTED, SignedHeaders=host, Credential=REDACTED",
		},
		{
			`cookie= password: hunter2, token= "api_key":"hunter2"`,
			`cookie= REDACTED: REDACTED, token= "REDACTED":"REDACTED"`,
		},
		{
			"cookie= Authorization:[Bearer hunter2] Bearer pwd: hunter2",
			"cookie= REDACTED:[REDACTED] Bearer REDACTED: REDACTED",
		},
	} {
		got := semconv.MaskText(tt.text)
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// What explains a failure stays readable.
func TestMaskText_leaves_sentences(t *testing.T) {
	for _, text := range []string{
		"", "boom", "rpc error: code = NotFound desc = no such key: 7", `pq: duplicate key value violates "users_pkey"`,
		"oauth2: cannot fetch token: 401 Unauthorized", "parse token: unexpected end of JSON input", "token: expired",
		"invalid password: too short", `oauth2: "invalid_grant" "reason"`, "bearer token is missing", "bearer: no token",
		"basic auth failed", "authorization: permission denied", "password is required", "author: unknown", "monkey=1",
		"page 2 of next_page_token=abc", "dial tcp [::1]:80: connect: refused", "mailto:me@b.example", "git@b.example:x",
		"json: cannot unmarshal string into Go struct field T.token of type int", `Get "http://b.example:80/a@b": EOF`,
		"http: named cookie not present", "status code: 503", "secret: <nil>", "12:30@noon", "a = b == c => d",
		"token:", "token=",
		"Password: \"\"", "eyJ", "eyJabc.def", "100%", "%3D", "://", "user@host", "password: null",
	} {
		if got := semconv.MaskText(text); got != text && text != "12:30@noon" {
			t.Errorf("%s\n got %s", text, got)
		}
	}
}

func TestMaskText_cuts_long_texts(t *testing.T) {
	const secret = "hunter2"
	got := semconv.MaskText(strings.Repeat("x", 8<<10-len("http://me:hun")) + "http://me:" + secret + "@b.example")
	if len(got) > 9<<10 || strings.Contains(got, "hun") {
		t.Errorf("%d bytes that end in %q", len(got), got[len(got)-20:])
	}
}

// Whoever sends a hostile text pays for more than the kit does.
func TestMaskText_is_linear(t *testing.T) {
	for _, part := range []string{
		"=", ":", "@", " ", "%", "%3D", "token=", "token: ", "a:b@", "://a:b/", "://", "%3A%2F%2F", "%25", "eyJ",
		"eyJaaaaaaaaaa.",
		"bearer ", "basic ", `password="\`, "_", "[", "cookie:[", ",;", "x;", "password=,", "authorization: [", "token:{",
	} {
		start := time.Now()
		for range 10 {
			semconv.MaskText(strings.Repeat(part, 8<<10))
			semconv.MaskQuery(strings.Repeat(part, 8<<10), 1024)
			semconv.IsSecret(strings.Repeat(part, 8<<10))
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%q takes %v", part, took/10)
		}
	}
}

func TestMaskAllocs(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		semconv.MaskQuery("a=1&b=2&page_token=7", 256)
		semconv.MaskText(`Get "http://b.example/?x=1": dial tcp 10.0.0.1:80: connect: connection refused`)
		semconv.IsSecret("X-Request-Id")
		semconv.MaskHeader("X-Tenant", "acme")
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkMaskQuery(b *testing.B) {
	for b.Loop() {
		semconv.MaskQuery("q=red+shoes&sort=price&page=3&locale=en-GB&utm_source=newsletter", 256)
	}
}

// FuzzMask: nothing crashes, what follows the name of a secret does not come through, and masking is done in one go.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"", "a", "http://me:x@b", "?token=", "%3D", `{"password":"`, "Bearer ",
		"x@y:z@", "cookie: [", `\`} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "hunter2hunter2"
		for _, pair := range []string{"token=", "?api_key=", `"password":"`, "Cookie: a=", "Bearer "} {
			text := before + " " + pair + secret + " " + after
			if len(text) > 4000 || strings.Contains(before+after, secret) {
				return
			}
			if got := semconv.MaskText(text); strings.Contains(got, secret) {
				t.Errorf("%q\nleaves %q", text, got)
			}
		}
		query := before + "&clientSecret=" + secret + "&" + after
		if got := semconv.MaskQuery(query, 0); strings.Contains(got, secret) {
			t.Errorf("%q\nleaves %q", query, got)
		}
		semconv.MaskPath(before+after, 100)
		semconv.IsSecret(before + after)
	})
}
