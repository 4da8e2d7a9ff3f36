package semconv_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/semconv"
)

func TestSecretsInHeadersAreMasked(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"Authorization", "Bearer hunter2", "REDACTED"},
		{"x-api-key", "hunter2", "REDACTED"},
		{"Location", "https://a.example/cb?code=hunter2&state=x", "https://a.example/cb?code=REDACTED&state=x"},
		{"X-Tenant", "acme", "acme"},
		{"Www-Authenticate", `Bearer realm="x", error="invalid_token"`, `Bearer realm="x", error="invalid_token"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := semconv.MaskHeader(tt.name, tt.value); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSecretsInQueriesAreMasked(t *testing.T) {
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
		{
			"variables=%7B%22password%22%3A%22hun%20ter2%22%2C%22n%22%3A1%7D&x=1",
			"variables=%7B%22password%22%3A%22REDACTED%22%2C%22n%22%3A1%7D&x=1",
		},
		{`v={"otp":12345678,"n":"x"}&y=2`, `v={"otp":REDACTED,"n":"x"}&y=2`},
		{`query={login(password:"hunter2",n:1){id}}`, `query={login(password:"REDACTED",n:1){id}}`},
		{"next=https%3A%2F%2Fb%3Ftokens%255B0%255D%3Dhunter2", "next=https%3A%2F%2Fb%3Ftokens%255B0%255D%3DREDACTED"},
		{"t=12:30&u=urn:ietf:params:oauth:token-type:jwt", "t=12:30&u=urn:ietf:params:oauth:token-type:jwt"},
		{"v=" + jwt, "v=REDACTED"},
		{"v=a%20" + jwt + "&x=1", "v=a%20REDACTED&x=1"},
		{"mail=a%40b.example&u=https%3A%2F%2Fb%2F%40me", "mail=a%40b.example&u=https%3A%2F%2Fb%2F%40me"},
		{strings.Repeat("sig=hunter2&", 50), ""},
		{"token=" + strings.Repeat("hunter2", 1000), "token=REDACTED"},
		{strings.Repeat("x", 101), ""},
	} {
		t.Run("?"+fmt.Sprintf("%.80s", tt.query), func(t *testing.T) {
			if got := semconv.MaskQuery(tt.query, 100); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSecretsInPathsAreMasked(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"/a;jsessionid=hunter2/b;v=1", "/a;jsessionid=REDACTED/b;v=1"},
		{"/verify/" + jwt + "/now", "/verify/REDACTED/now"},
		{"/bot123456:AAFhunter2hunter2hunter2hunter2hun/getMe", "/bot123456:REDACTED/getMe"},
		{"/services/T024BE7LD/B024BE7LE/XXhunterXXdefXXghiXX1234", "/services/T024BE7LD/B024BE7LE/REDACTED"},
		{"/services/t/billing/accounts-and-invoices-of-2024", "/services/t/billing/accounts-and-invoices-of-2024"},
		{"/services/TEAM/BILLING/accounts", "/services/TEAM/BILLING/accounts"},
		{"/api/webhooks/1234567890/" + discord + "/slack", "/api/webhooks/1234567890/REDACTED/slack"},
		{"/api/webhooks/1234567890/messages", "/api/webhooks/1234567890/messages"},
		{"/webhooks/orders/" + discord, "/webhooks/orders/" + discord},
		{"/webhooks/", "/webhooks/"},
		{"/services/T1/", "/services/T1/"},
		{"/bottles/eyJ/sk-learn/ghp_", "/bottles/eyJ/sk-learn/ghp_"},
		{"/v1/projects/p/secrets/s/versions/1:access", "/v1/projects/p/secrets/s/versions/1:access"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			if got := semconv.MaskPath(tt.path, 0); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// discord is the form of the token of a Discord webhook.
const discord = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCdEfGhIjKlMnOpQrStUvWxYz0123"

// jwt is the form of a signed JSON web token.
const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.aHVudGVyMg"

// Tokens that are known by their form are found in any text, under any name.
func TestTokensAreMaskedByTheirForm(t *testing.T) {
	random := strings.Repeat("a1b2c3d4", 5)
	for _, secret := range []string{
		jwt, "eyJhbGciOiJkaXIifQ..aHVudGVyMg.aHVudGVyMg.aHVudGVyMg", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
		"ghp_" + random, "github_pat_" + random, "glpat-" + random, "xoxb-123456789012-" + random, "sk_live_" + random,
		"sk-proj-" + random, "sk-" + random, "hvs." + random, "whsec_" + random, "AKIAIOSFODNN7EXAMPLE", "AIza" + random,
		"ya29." + random, "SG." + random, "npm_" + random, "shpat_" + random,
	} {
		t.Run(secret[:min(len(secret), 12)], func(t *testing.T) {
			for _, text := range []string{"%s", "sent %s, refused", "v=%s", `{"v":"%s"}`, "[%s]", "https://b/%s?x", "a%%20%s"} {
				t.Run(text, func(t *testing.T) {
					text = fmt.Sprintf(text, secret)
					if got, want := semconv.MaskText(text), strings.Replace(text, secret, "REDACTED", 1); got != want {
						t.Errorf("%s, want %s", got, want)
					}
				})
			}
		})
	}
}

// fetch is what an error of net/http about url says.
func fetch(url string) string { return `Get "` + url + `": dial tcp: lookup b.example: no such host` }

func TestSecretsInTextsAreMasked(t *testing.T) {
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
		{"exec: mysql --host db --password hunter2 shop: exit 1", "exec: mysql --host db --password REDACTED shop: exit 1"},
		{"exec: mysql --password hunter shop", "exec: mysql --password REDACTED shop"},
		{`helm login --password 'hunter2 hunter2' r`, `helm login --password 'REDACTED' r`},
		{"curl -u me:hunter2 https://b.example: 22", "curl -u me:REDACTED https://b.example: 22"},
		{"<user>me</user><password>hunter2</password>", "<user>me</user><password>REDACTED</password>"},
		{"<wsse:Password>hunter2</wsse:Password>", "<wsse:Password>REDACTED</wsse:Password>"},
		{"<apiKey>hunter", "<apiKey>REDACTED"},
		{"sent authorization: bearer hunter", "sent authorization: bearer REDACTED"},
		{"got Bearer hunter2, want none", "got Bearer REDACTED, want none"},
		{"Basic bWU6aHVudGVyMg== is wrong", "Basic REDACTED is wrong"},
		{"X-Api-Key: hunter2", "X-Api-Key: REDACTED"},
		{"cookie connect.sid=hunter2; my-session=hunter2, ok", "cookie connect.sid=REDACTED; my-session=REDACTED, ok"},
		{"sid=hunter2 auth=hunter2 session_a8f3b2c9=hunter2", "sid=REDACTED auth=REDACTED session_a8f3b2c9=REDACTED"},
		{"session_a8f3b2c9: hunter2", "session_a8f3b2c9: REDACTED"},
		{fetch("https://b.example/?token=hun'hunter2&x=1"), fetch("https://b.example/?token=REDACTED&x=1")},
		{fetch("https://b.example/?token='hunter2'&x=1"), fetch("https://b.example/?token='REDACTED'&x=1")},
		{"GET 'https://b.example/?token=hunter2': EOF", "GET 'https://b.example/?token=REDACTED': EOF"},
		{fetch("http://me:hunter2%40b.example:80/"), fetch("http://b.example:80/")},
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
		{"dial: unknown access key: hunter2", "dial: unknown access key: REDACTED"},
		{"your verification code: 123456", "your verification code: REDACTED"},
		{
			"key -----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- is bad",
			"key -----BEGIN RSA PRIVATE KEY-----REDACTED-----END RSA PRIVATE KEY----- is bad",
		},
		{
			"Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.hunter2, v5",
			"Sec-WebSocket-Protocol: REDACTED",
		},
		{"X-Forwarded-Client-Cert: By=spiffe://a;Hash=hunter2;Cert=\"hunter2\"\r\nX: 1", "X-Forwarded-Client-Cert: REDACTED\r\nX: 1"},
		{
			`cookie= password: hunter2, token= "api_key":"hunter2"`,
			`cookie= REDACTED: REDACTED, token= "REDACTED":"REDACTED"`,
		},
		{
			"cookie= Authorization:[Bearer hunter2] Bearer pwd: hunter2",
			"cookie= REDACTED:[REDACTED] Bearer REDACTED: REDACTED",
		},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if got := semconv.MaskText(tt.text); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// What explains a failure stays readable.
func TestSentencesStayReadable(t *testing.T) {
	for _, text := range []string{
		"", "boom", "rpc error: code = NotFound desc = no such key: 7", `pq: duplicate key value violates "users_pkey"`,
		"oauth2: cannot fetch token: 401 Unauthorized", "parse token: unexpected end of JSON input", "token: expired",
		"invalid password: too short", `oauth2: "invalid_grant" "reason"`, "bearer token is missing", "bearer: no token",
		"basic auth failed", "authorization: permission denied", "password is required", "author: unknown", "monkey=1",
		"code=NotFound key=users", "session = closed", "auth=none", "design_a1b2c3d4=1",
		"page 2 of next_page_token=abc", "dial tcp [::1]:80: connect: refused", "mailto:me@b.example", "git@b.example:x",
		"json: cannot unmarshal string into Go struct field T.token of type int", `Get "http://b.example:80/a@b": EOF`,
		"http: named cookie not present", "status code: 503", "secret: <nil>",
		"ghp_ is a prefix", "sk-learn-pipelines-are-long-words", "see eyJ", "no such api key: not found",
		"-----BEGIN CERTIFICATE-----", "max_tokens: 5000 is too large", "unknown flag --no-auth", "flag --token is required", "--token needs a value", "--token requires a value", "flag needs an argument: --password",
		"usage: x --token --verbose", "a -- b", "-u", "--", "-u me", "<token> expected", "Map<String, Password>", "login <user> <password> <host>", "x -> y",
		"auth: handshake failed", "12:30@noon", "a = b == c => d",
		"token:", "token=",
		"Password: \"\"", "eyJ", "eyJabc.def", "100%", "%3D", "://", "user@host", "password: null",
	} {
		t.Run(cmp.Or(text, "empty"), func(t *testing.T) {
			if got := semconv.MaskText(text); got != text && text != "12:30@noon" {
				t.Errorf("%s\n got %s", text, got)
			}
		})
	}
}

func TestLongTextsAreCut(t *testing.T) {
	const secret = "hunter2"
	got := semconv.MaskText(strings.Repeat("x", 8<<10-len("http://me:hun")) + "http://me:" + secret + "@b.example")
	if len(got) > 9<<10 || strings.Contains(got, "hun") {
		t.Errorf("%d bytes that end in %q", len(got), got[len(got)-20:])
	}
}

// Whoever sends a hostile text pays for more than the kit does.
func TestMaskingTakesTimeInProportionToTheText(t *testing.T) {
	for _, part := range []string{
		"=", ":", "@", " ", "%", "%3D", "token=", "token: ", "a:b@", "://a:b/", "://", "%3A%2F%2F", "%25", "eyJ",
		"eyJaaaaaaaaaa.", "eyJaaaaaaaaaa.a ", "ghp_", "sk-", "bot1:", "-----BEGIN PRIVATE KEY-----", "-----", `"token":"`, "%22%3A",
		"%22token%22%3A%22", "a ", "s ",
		"bearer ", "basic ", `password="\`, "_", "[", "cookie:[", ",;", "x;", "password=,", "authorization: [", "token:{",
	} {
		t.Run(fmt.Sprintf("%q", part), func(t *testing.T) {
			start := time.Now()
			for range 10 {
				semconv.MaskText(strings.Repeat(part, 8<<10))
				semconv.MaskQuery(strings.Repeat(part, 8<<10), 1024)
				semconv.IsSecret(strings.Repeat(part, 8<<10))
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%q takes %v", part, took/10)
			}
		})
	}
}

func TestMaskingHarmlessTextMakesNoAllocs(t *testing.T) {
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
