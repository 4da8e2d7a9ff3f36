package semconv

// secretSuffixes are the ends of names whose values are secrets, wherever the name stands: in a query, a header,
// metadata, a JSON object or the text of an error. Names are folded before they are compared: see [IsSecret].
var secretSuffixes = byLastLetter(
	"token", "accesstokens", "refreshtokens", "authtokens", "apitokens", "sessiontokens", "usertokens",
	"devicetokens", "idtokenhint", "jwt", "bearer", "dpop", "jwe", "jws", "macaroon", "secret", "secretid",
	"secretkeybase", "password", "passwd", "passwort", "passphrase", "passcode", "passkey", "pwd", "motdepasse",
	"contrasena", "authorization", "authorizationauxiliary", "authentication", "authenticationinfo", "authinfo",
	"cookie", "csrf", "xsrf", "antiforgery", "credential", "assertion", "signature", "sig", "samlresponse",
	"samlrequest", "samlart", "hmac", "digestauth", "basicauth", "sentryauth", "apikey", "accesskey", "accesskeyid",
	"accessid", "secretkey", "privatekey", "authkey", "signingkey", "encryptionkey", "decryptionkey",
	"encryptioncustomerkey", "masterkey", "rootkey", "adminkey", "sharedkey", "accountkey", "storagekey", "saskey",
	"applicationkey", "subscriptionkey", "functionskey", "licensekey", "consumerkey", "writekey", "xinsertkey",
	"ingestkey", "xquerykey", "sessionkey", "appkey", "clientkey", "serverkey", "securitykey", "servicekey",
	"sshkey", "webhookkey", "sentrykey", "streamkey", "honeycombteam", "sessionid", "sessid", "codeverifier",
	"authcode", "authorizationcode", "accesscode", "securitycode", "devicecode", "usercode", "verificationcode",
	"verifycode", "confirmationcode", "activationcode", "invitecode", "invitationcode", "otpcode", "facode",
	"smscode", "resetcode", "recoverycode", "backupcode", "logincode", "oauthcode", "oauthverifier", "aspxauth",
	"mnemonic", "seedphrase", "recoveryphrase", "connectionstring", "dsn", "oidcdata", "oidcidentity",
	"clientprincipal", "websocketprotocol", "wordpressloggedin", "wordpresssec",
	"clientcert", "clientcertchain", "clientcertleaf", "clientcertinfo", "clientcertificate", "sslcert",
	"pkcs", "pfx", "serviceaccountjson", "otp", "cvv", "cardnumber", "creditcard", "secretproof",
	"sharekey", "mashapekey", "magiclink", "rememberme",
)

// secretWords are short words that mark a secret as the last word of a parameter, a header, a metadata key or the name
// of name=value, but not as the end of a longer word: pay_sign and paySign are secrets, design is not.
var secretWords = byLastLetter(
	"auth", "session", "sess", "ssess", "pass", "pw", "psw", "pswd", "pin", "sign", "cvc", "ssn", "crumb", "cred",
)

// secretNames are names that are secrets as a whole, wherever it is certain that they are names.
var secretNames = byLastLetter(
	"oauth", "xauth", "userpass", "dbpass", "sid", "connectsid", "appsid", "phpsid", "sessionstate", "wresult",
)

// ambiguousNames are secrets as a whole, too, but only as parameters of a URL or a form, as headers and as metadata. In
// other texts they mean anything ("code=NotFound", "duplicate key: users"), so they are not looked for there.
var ambiguousNames = byLastLetter("key", "code", "ticket", "license")

// lineHeaders are the ends of the names of headers whose values have more than one word. In a text all of the line
// behind them is secret.
var lineHeaders = byLastLetter(
	"authorization", "authenticationinfo", "cookie", "signature", "websocketprotocol", "clientcert",
	"clientcertinfo", "clientcertchain", "sslcert", "credential",
)

// qualifiers say of what is in front of them how it is written, or which one it is: password_hash, tokenValue,
// X-Signature-SHA256. A secret stays one.
var qualifiers = byLastLetter(
	"value", "values", "plain", "plaintext", "text", "string", "str", "raw", "data", "hash", "hex", "encrypted",
	"encoded", "enc", "confirm", "confirmation", "repeat", "again", "verify", "new", "old", "current", "previous",
	"primary", "secondary", "header",
)

// versions are qualifiers in front of a number: signature_v2, signature-sha256, token_base64.
var versions = byLastLetter("v", "version", "sha", "md", "ed", "hs", "rs", "es", "base", "hex")

// harmlessSuffixes end like secrets but give access to nothing: they mark a position in a list, or one attempt at a
// request. Without them the tags of every paged API would lose the difference between one page and the next.
var harmlessSuffixes = byLastLetter(
	"pagetoken", "nexttoken", "previoustoken", "prevtoken", "continuationtoken", "continuetoken", "synctoken",
	"resumetoken", "cursortoken", "idempotencytoken", "clientrequesttoken", "hascookie", "hascookies", "nocookie",
	"forgotpassword",
)

// words are sets of words by their last letter.
type words [26][]string

func byLastLetter(all ...string) (w words) {
	for _, word := range all {
		last := word[len(word)-1] - 'a'
		w[last] = append(w[last], word)
	}
	return w
}

// ending returns the length of the longest word that name ends in, 0 if there is none.
func (w *words) ending(name []byte) (longest int) {
	if len(name) == 0 {
		return 0
	}
	last := name[len(name)-1] - 'a'
	if last >= byte(len(w)) {
		return 0
	}
	for _, word := range w[last] {
		if len(word) > longest && len(word) <= len(name) && string(name[len(name)-len(word):]) == word {
			longest = len(word)
		}
	}
	return longest
}

func setOf(all ...string) map[string]bool {
	set := make(map[string]bool, len(all))
	for _, word := range all {
		set[word] = true
	}
	return set
}
