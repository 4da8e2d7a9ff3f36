package semconv_test

import (
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/semconv"
)

// secretNames are the names that providers and frameworks give to their secrets.
var secretNames = map[string]string{
	"spellings": `token TOKEN accessToken access_token access-token access.token private_token user[password]
		user%5Bpassword%5D user%255Bpassword%255D password[] password2 pass%77ord passwordConfirmation newPwd user.password
		spring.datasource.password tokens[0] tokens[] tokens%5B0%5D refresh_tokens apiKeys credentials[0] passwords
		signature_v2 signatureV4 X-Signature-SHA256 token_base64 password_hash passwordHash tokenValue secret_data
		new_password_again X_API_KEY 2fa_code keys.api_key`,
	"AWS": `AWSAccessKeyId Signature X-Amz-Signature X-Amz-Credential X-Amz-Security-Token secretAccessKey aws_secret_access_key
		AWS_SESSION_TOKEN X-Amzn-Oidc-Data X-Amzn-Oidc-Accesstoken X-Amzn-Oidc-Identity X-Amzn-Mtls-Clientcert
		X-Amzn-Mtls-Clientcert-Leaf X-Amz-Server-Side-Encryption-Customer-Key
		x-amz-server-side-encryption-customer-key-MD5 X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key`,
	"Google": `GoogleAccessId X-Goog-Signature X-Goog-Credential X-Goog-Iam-Authorization-Token X-Goog-Iap-Jwt-Assertion
		X-Goog-Api-Key X-Serverless-Authorization x-goog-encryption-key g-recaptcha-token id_token authuser_token`,
	"Azure": `sig Ocp-Apim-Subscription-Key x-functions-key aeg-sas-key aeg-sas-token SharedAccessKey AccountKey
		SharedAccessSignature X-MS-CLIENT-PRINCIPAL X-MS-TOKEN-AAD-ACCESS-TOKEN X-MS-TOKEN-AAD-ID-TOKEN X-ZUMO-AUTH
		x-ms-authorization-auxiliary x-ms-copy-source-authorization x-ms-encryption-key X-ARR-ClientCert`,
	"OAuth and SAML": `code client_secret client_assertion code_verifier device_code user_code id_token_hint logout_token subject_token
		actor_token assertion SAMLResponse SAMLRequest SAMLart wresult session_state oauth_verifier oauth_token
		oauth_token_secret oauth_signature oauth_consumer_key refresh_token DPoP dpop authCode`,
	"headers": `Authorization proxy-authorization Authentication Authentication-Info Proxy-Authentication-Info
		Sec-WebSocket-Protocol X-Forwarded-Client-Cert X-SSL-Client-Cert ssl-client-cert Client-Cert Client-Cert-Chain
		X-Forwarded-Tls-Client-Cert X-Forwarded-Tls-Client-Cert-Info X-Client-Certificate Cookie Set-Cookie Cookie2 X-Auth X-Basic-Auth
		X-Forwarded-Access-Token X-Auth-Request-Access-Token Cf-Access-Jwt-Assertion X-Authentik-Jwt
		X-Pomerium-Jwt-Assertion Grpc-Metadata-Authorization Impersonate-Auth X-Api-Key X-App-Key X-Api-Sign
		X-Session X-CSRF-Token X-XSRF-TOKEN RequestVerificationToken Jenkins-Crumb X-Otp X-GitHub-OTP`,
	"providers": `X-Plex-Token X-Vault-Token X-Consul-Token X-Nomad-Token PRIVATE-TOKEN JOB-TOKEN X-Gitlab-Token DD-API-KEY
		DD-APPLICATION-KEY X-Insert-Key X-Query-Key X-License-Key x-honeycomb-team uptrace-dsn X-Sentry-Auth sentry_key
		Lightstep-Access-Token X-Shopify-Access-Token CB-ACCESS-KEY CB-ACCESS-SIGN CB-ACCESS-PASSPHRASE X-MBX-APIKEY
		X-BAPI-SIGN API-Sign X-Appwrite-Key X-Parse-Master-Key X-Auth-Key X-Figma-Token X-Redmine-API-Key appid_secret
		paySign app_sign sign appsecret_proof shareKey X-Mashape-Key magic_link rememberme`,
	"signatures of webhooks": `X-Hub-Signature X-Hub-Signature-256 Stripe-Signature X-Slack-Signature X-Twilio-Signature
		X-Twilio-Email-Event-Webhook-Signature X-Signature-Ed25519 X-Line-Signature Paypal-Transmission-Sig
		X-Shopify-Hmac-Sha256 Svix-Signature webhook-signature X-Square-HmacSha256-Signature X-Zm-Signature
		Linear-Signature X-Razorpay-Signature hmac X-Signature signature_md5`,
	"sessions": `jsessionid PHPSESSID ASP.NET_SessionId connect.sid sid csrfmiddlewaretoken _csrf .ASPXAUTH laravel_session
		_gitlab_session user_session grafana_session AUTH_SESSION_ID __Host-session __Secure-next-auth.session-token
		next-auth.csrf-token koa.sess koa.sess.sig XSRF-TOKEN __RequestVerificationToken .AspNetCore.Cookies
		.AspNetCore.Session remember_user_token CFTOKEN PLAY_SESSION _forward_auth Mcp-Session-Id`,
	"random ends": `session_a8f3b2c9 _session_id_4d5e sess_5f4dcc3b5aa765d61d8327deb882cf99 auth-3fa85f64 mysite_auth_9d8f7a
		SSESS9c1185a5c5e9fc54612808977ee8f548 SESS9c1185a5c5e9fc54612808977ee8f548 JSESSIONID.3f2a1b token_01HZX3V7Q2
		.AspNetCore.Antiforgery.9TtSrW0hzOs session-3F2504E0-4F89-11D3-9A0C-0305E82C3301
		wordpress_logged_in_0f3a9c77 wordpress_sec_0f3a9c77a1`,
	"others": `jwt key auth pswd pin user_pin otp sms_otp totp cvv cvv2 cvc cardNumber verificationCode reset_code dsn mnemonic
		connectionString db_pass ssh_key passkey`,
}

func TestNamesOfSecretsAreKnown(t *testing.T) {
	for group, names := range secretNames {
		t.Run(group, func(t *testing.T) {
			for _, name := range strings.Fields(names) {
				if !semconv.IsSecret(name) {
					t.Errorf("%q is not a secret", name)
				}
			}
		})
	}
	for _, name := range []string{strings.Repeat("a", 10_000) + "-token", "token" + strings.Repeat("_", 10_000)} {
		if !semconv.IsSecret(name) {
			t.Errorf("%.60q is not a secret", name)
		}
	}
}

// What explains a request stays readable.
func TestHarmlessNamesAreNoSecrets(t *testing.T) {
	for group, names := range map[string]string{
		"words": `author authority authors monkey tokenizer keyboard turkey design campaign assign resign sign_in signed
			signin inside secretary passport bypass compass password_policy zipcode opinion spin pinned session_count
			sessions_total breadcrumb breadcrumbs hockey whiskey codec decode nocode keynote keys ticketed licensed
			authenticated authorized oauthed tokenize mac sigma assertions_total`,
		"keys": `primary_key primaryKey sort_key foreign_key partition-key Sec-WebSocket-Key Idempotency-Key cache_key
			routing_key objectKey public_key i18n_key`,
		"numbers": `max_tokens max_new_tokens prompt_tokens completion_tokens total_tokens maxTokens token_count tokenCount
			token_type token_expires_in signatures_required password_length`,
		"positions": `page_token next_page_token pageToken NextToken continuation-token continuationToken syncToken
			idempotency_token has_cookie forgot_password`,
		"codes": `status_code country_code code_challenge code_challenge_method error_code language-code currencyCode
			postal_code response_code`,
		"protocol": `state nonce expires user email scope www-authenticate X-Amz-Date X-Amz-Algorithm X-Amz-SignedHeaders
			X-Amz-Content-Sha256 X-Goog-Date X-Goog-Expires SignatureMethod SignatureVersion sv se sp sr client_id
			grant_type redirect_uri response_type username X-Request-Id X-Forwarded-For X-Real-Ip Host Content-Type
			User-Agent Accept ETag If-None-Match Origin Referer Location Traceparent X-B3-TraceId Content-Digest
			Strict-Transport-Security X-Auth-Email X-Tenant`,
		"random ends": `design_a1b2c3d4 x_request_id_1a2b3c4d page_token_0a1b2c3d logged_in_0f3a9c77 key_0a1b2c3d
			author-5f4dcc3b5aa765d61d8327deb882cf99 hash5f4dcc3b5aa765d61d8327deb882cf99 session_count_a1b2c3d4`,
		"not a name": "42 _ - %zz a% % tokén пароль",
	} {
		t.Run(group, func(t *testing.T) {
			for _, name := range append(strings.Fields(names), "") {
				if semconv.IsSecret(name) {
					t.Errorf("%q is a secret", name)
				}
			}
		})
	}
}

// A secret is found wherever its name is written, and every spelling of it.
func TestSecretsAreFoundWhereverTheirNamesAre(t *testing.T) {
	const secret = "hunter2hunter2"
	for _, names := range secretNames {
		for _, name := range strings.Fields(names) {
			t.Run(name, func(t *testing.T) {
				for kind, got := range map[string]string{
					"header":        semconv.MaskHeader(name, secret),
					"query":         semconv.MaskQuery("a=1&"+name+"="+secret+"&b=2", 0),
					"path":          semconv.MaskPath("/a;"+name+"="+secret+"/b", 0),
					"nested query":  semconv.MaskQuery("u=https%3A%2F%2Fb%3F"+name+"%3D"+secret+"%26x%3D1", 0),
					"url in a text": semconv.MaskText(`Get "https://b/?` + name + "=" + secret + `": EOF`),
					"fragment":      semconv.MaskText(`see https://b/#` + name + "=" + secret),
				} {
					if strings.Contains(got, secret) {
						t.Errorf("%s %s: %s", kind, name, got)
					}
				}
			})
		}
	}
}
