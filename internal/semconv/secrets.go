package semconv

// Redacted stands in every tag and log where a secret was.
const Redacted = "REDACTED"

// secretSuffixes are the ends of names whose values are secrets, wherever the name stands: in a query, a header,
// metadata, a JSON object or the text of an error. Names are folded before they are compared: see [IsSecret].
var secretSuffixes = byLastLetter(
	"token", "accesstokens", "refreshtokens", "authtokens", "apitokens", "idtokenhint", "jwt", "bearer",
	"secret", "secrets", "secretid", "secretkeybase",
	"password", "passwords", "passwd", "passwort", "passphrase", "passcode", "pwd",
	"passwordconfirm", "passwordconfirmation", "passwordrepeat", "passwordagain", "passwordhash",
	"authorization", "authentication", "cookie", "cookies", "csrf", "xsrf",
	"credential", "credentials", "assertion", "signature", "samlresponse", "samlrequest", "samlart",
	"apikey", "accesskey", "accesskeyid", "secretkey", "privatekey", "authkey", "signingkey", "encryptionkey", "masterkey",
	"sharedkey", "accountkey", "applicationkey", "subscriptionkey", "functionskey", "licensekey", "consumerkey",
	"writekey", "sessionkey", "sessionid", "sessid", "sessiontoken", "codeverifier", "authcode", "authorizationcode",
	"devicecode", "verificationcode", "otpcode", "mfacode", "smscode", "resetcode", "recoverycode", "oauthverifier",
	"appkey", "clientkey", "serverkey", "securitykey", "sshkey", "aspxauth", "mnemonic", "seedphrase", "connectionstring",
)

// secretNames are short names that are secrets as parameters of a URL or a form, as headers and as metadata. In other
// texts they mean anything ("code = NotFound", "duplicate key: users"), so they are not looked for there.
var secretNames = setOf(
	"key", "code", "sig", "auth", "xauth", "oauth", "session", "sessionstate", "usersession", "authsession", "sid",
	"connectsid", "pass", "pw", "psw", "pswd", "userpass", "dbpass", "pin", "otp", "totp", "ticket", "dsn", "wresult",
	"hmac", "cvv", "cvc", "ssn", "cardnumber", "license",
)

// harmlessSuffixes end like secrets but give access to nothing: they mark a position in a list, or one attempt at a
// request. Without them the tags of every paged API would lose the difference between one page and the next.
var harmlessSuffixes = byLastLetter(
	"pagetoken", "nexttoken", "continuationtoken", "continuetoken", "synctoken", "resumetoken", "cursortoken",
	"idempotencytoken", "clientrequesttoken", "hascookie", "hascookies", "forgotpassword",
)

// IsSecret reports whether the values of a parameter, header, metadata key or tag with this name are secrets. Case,
// percent-encoding, the characters "-_.[]" and digits at the end do not matter, and the end of the name decides:
// accessToken, X-Plex-Token, user[password] and password2 are secrets, author, tokenizer, monkey and max_tokens are
// not. Positions in lists, such as next_page_token, are not secrets either. The time it takes is linear in the name's
// length.
func IsSecret(name string) bool {
	f := foldName(name, len(name))
	return f.isSecret(true)
}

// MaskHeader returns the value of a header or metadata key as it may be recorded: [Redacted] if the name is that of a
// secret, else without the secrets that it quotes, such as a token in a Location.
func MaskHeader(name, value string) string {
	if IsSecret(name) {
		return Redacted
	}
	return MaskText(value)
}

// maxFolded is the length of the longest word in the lists.
const maxFolded = len("passwordconfirmation")

// foldedName is the end of a name in lower case, without separators.
type foldedName struct {
	buf    [maxFolded + 1]byte // filled from its end
	at     int                 // where in buf the name begins
	whole  bool                // there is no more of the name before buf
	before byte                // what stands before a whole name; 0 if nothing does
}

// foldName folds the name that ends before text[end].
func foldName(text string, end int) (f foldedName) {
	f.at, f.whole = len(f.buf), true
	for i := end - 1; i >= 0; i-- {
		c := text[i]
		if decoded, ok := unescapedAt(text, i-2); ok && i-2 >= 0 {
			c, i = decoded, i-2
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		switch {
		case c == '-' || c == '_' || c == '.' || c == '[' || c == ']':
			continue
		case '0' <= c && c <= '9':
			if f.at == len(f.buf) {
				continue
			}
		case c < 'a' || c > 'z':
			f.before = c
			return f
		}
		if f.at == 0 {
			f.whole = false
			return f
		}
		f.at--
		f.buf[f.at] = c
	}
	return f
}

// unescapedAt returns the byte that text[i:i+3] encodes, as in "%3D".
func unescapedAt(text string, i int) (c byte, ok bool) {
	if i < 0 || i+3 > len(text) || text[i] != '%' {
		return 0, false
	}
	high, low := unhex(text[i+1]), unhex(text[i+2])
	return high<<4 | low, high < 16 && low < 16
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return (c | 0x20) - 'a' + 10
	}
	return 0xff
}

// isSecret reports whether the name is that of a secret. asParameter says that it is known to be a name, and not a
// word in a sentence.
func (f *foldedName) isSecret(asParameter bool) bool {
	name := f.buf[f.at:]
	if len(name) == 0 {
		return false
	}
	if asParameter && f.whole && secretNames[string(name)] {
		return true
	}
	return secretSuffixes.endsOf(name) && !harmlessSuffixes.endsOf(name)
}

// words are sets of words by their last letter.
type words [26][]string

func byLastLetter(all ...string) (w words) {
	for _, word := range all {
		last := word[len(word)-1] - 'a'
		w[last] = append(w[last], word)
	}
	return w
}

// endsOf reports whether name ends in one of the words. The last byte of name is a letter.
func (w *words) endsOf(name []byte) bool {
	for _, word := range w[name[len(name)-1]-'a'] {
		if len(word) <= len(name) && string(name[len(name)-len(word):]) == word {
			return true
		}
	}
	return false
}

func setOf(all ...string) map[string]bool {
	set := make(map[string]bool, len(all))
	for _, word := range all {
		set[word] = true
	}
	return set
}
