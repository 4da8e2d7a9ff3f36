package export

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanloom/spanloom/internal/testcert"
)

// leaf returns the certificate of the client.
func leaf(f *TLSFiles) []byte { return f.Config().Certificates[0].Certificate[0] }

func TestTLSFilesAreReadAgainWhenTheyChange(t *testing.T) {
	a, b := testcert.New(t, "a"), testcert.New(t, "b")
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	setTime := func(path string, at time.Time) {
		t.Helper()
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	sameSize := func(cert, key []byte) (padded, paddedKey []byte) {
		return append(cert, bytes.Repeat([]byte("\n"), 4096-len(cert))...), append(key, bytes.Repeat([]byte("\n"), 4096-len(key))...)
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, f testcert.Files)
		want   bool
	}{
		"nothing": {func(*testing.T, testcert.Files) {}, false},
		"another pair by rename, of the same size and time": {func(t *testing.T, f testcert.Files) {
			cert, key := sameSize(b.Issue(t, "client"))
			testcert.Replace(t, f.Cert, cert)
			testcert.Replace(t, f.Key, key)
			setTime(f.Cert, at)
			setTime(f.Key, at)
		}, true},
		"another pair in place": {func(t *testing.T, f testcert.Files) {
			cert, key := sameSize(b.Issue(t, "client"))
			os.WriteFile(f.Cert, cert, 0o600)
			os.WriteFile(f.Key, key, 0o600)
			setTime(f.Cert, at.Add(time.Second))
			setTime(f.Key, at.Add(time.Second))
		}, true},
		"the roots alone": {func(t *testing.T, f testcert.Files) { testcert.Replace(t, f.Roots, b.PEM) }, true},
		"a touch":         {func(t *testing.T, f testcert.Files) { setTime(f.Key, at.Add(time.Second)) }, true},
		"half a renewal": {func(t *testing.T, f testcert.Files) {
			cert, _ := b.Issue(t, "client")
			testcert.Replace(t, f.Cert, cert)
		}, false},
		"a file that is gone": {func(t *testing.T, f testcert.Files) { os.Remove(f.Roots) }, false},
		"an empty file":       {func(t *testing.T, f testcert.Files) { testcert.Replace(t, f.Roots, nil) }, false},
		"no PEM":              {func(t *testing.T, f testcert.Files) { testcert.Replace(t, f.Cert, []byte("hello")) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			paths := testcert.NewFiles(t)
			cert, key := sameSize(a.Issue(t, "client"))
			testcert.Replace(t, paths.Roots, a.PEM)
			testcert.Replace(t, paths.Cert, cert)
			testcert.Replace(t, paths.Key, key)
			for _, p := range []string{paths.Roots, paths.Cert, paths.Key} {
				setTime(p, at)
			}
			f, errs := NewTLSFiles(paths.Roots, paths.Cert, paths.Key)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			before, copied := f.Config(), f.Clone()
			c.change(t, paths)
			if got := f.Renew(nil); got != c.want || (f.Config() != before) != c.want {
				t.Errorf("renewed: %t, want %t", got, c.want)
			}
			if f.Renew(nil) {
				t.Error("renewed without another change")
			}
			if got := copied.Renew(nil); got != c.want {
				t.Errorf("the copy renewed: %t, want %t", got, c.want)
			}
			paths.Install(t, b) // the renewal is over
			if !f.Renew(nil) || bytes.Equal(leaf(f), before.Certificates[0].Certificate[0]) {
				t.Error("the end of a renewal is not seen")
			}
		})
	}
}

func TestBadTLSFilesAreLoggedOnceAMinute(t *testing.T) {
	a := testcert.New(t, "a")
	paths := testcert.NewFiles(t)
	paths.Install(t, a)
	f, _ := NewTLSFiles(paths.Roots, paths.Cert, paths.Key)
	testcert.Replace(t, paths.Key, []byte("hello"))
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, nil))
		for range 119 {
			f.Renew(logger)
			time.Sleep(time.Second)
		}
		if n := strings.Count(out.String(), "last good ones stay"); n != 2 {
			t.Errorf("%d lines in two minutes:\n%s", n, out.String())
		}
	})
}

// TestTheFileThatIsWrongIsNamed has mistakes about a client's certificate and its key, and which of the two is at fault.
func TestTheFileThatIsWrongIsNamed(t *testing.T) {
	cert, key := testcert.New(t, "a").Issue(t, "client")
	_, other := testcert.New(t, "b").Issue(t, "client")
	encrypted := []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGb\n-----END ENCRYPTED PRIVATE KEY-----\n")
	legacy := []byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIGb\n-----END EC PRIVATE KEY-----\n")
	damaged := []byte("-----BEGIN CERTIFICATE-----\nMIGb\n-----END CERTIFICATE-----\n")
	for name, c := range map[string]struct {
		cert, key []byte
		blames    string
		want      string
	}{
		"another's key":           {cert, other, "key", "does not match"},
		"encrypted":               {cert, encrypted, "key", "the key is encrypted"},
		"encrypted, as of old":    {cert, legacy, "key", "the key is encrypted"},
		"no key":                  {cert, []byte("hello"), "key", "find"},
		"no certificate":          {[]byte("hello"), key, "cert", "find"},
		"a damaged certificate":   {damaged, key, "cert", "x509"},
		"the two swapped":         {key, cert, "cert", "switched"},
		"a bundle and its key":    {append(slices.Clone(key), cert...), key, "", ""},
		"the key in the same one": {append(slices.Clone(cert), key...), append(slices.Clone(cert), key...), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			paths := testcert.NewFiles(t)
			testcert.Replace(t, paths.Cert, c.cert)
			testcert.Replace(t, paths.Key, c.key)
			_, errs := NewTLSFiles("", paths.Cert, paths.Key)
			want := map[string]string{"cert": paths.Cert, "key": paths.Key}[c.blames]
			if len(errs) > 1 || len(errs) == 1 && (errs[0].Path != want || !strings.Contains(errs[0].Err.Error(), c.want)) ||
				(len(errs) == 1) != (want != "") {
				t.Errorf("%v, want %q about %q", errs, c.want, want)
			}
		})
	}
	for i, content := range [][]byte{cert, key} {
		t.Run(fmt.Sprint("content in place of a name ", i), func(t *testing.T) {
			_, errs := NewTLSFiles(string(content), "", "")
			if len(errs) != 1 || errs[0].Err != errContent {
				t.Errorf("%v", errs)
			}
		})
	}
}
