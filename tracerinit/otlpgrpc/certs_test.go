package otlpgrpc

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/testcert"
)

// mutualCollector requires client certificates of the authority that trust was called with last, and keeps the issuer of
// the last client's.
func mutualCollector(t *testing.T) (col *collector, trust func(*testcert.Authority), issuer *atomic.Value) {
	var config atomic.Pointer[tls.Config]
	issuer = new(atomic.Value)
	col = newCollector(t, func(ctx context.Context, _ int) ([]byte, error) {
		p, _ := peer.FromContext(ctx)
		issuer.Store(p.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].Issuer.CommonName)
		return nil, nil
	}, grpc.Creds(credentials.NewTLS(&tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return config.Load(), nil },
	})))
	return col, func(a *testcert.Authority) { config.Store(a.Mutual(t)) }, issuer
}

// withFiles is fromEnvironment for a target with TLS files and a dial of the test's.
func withFiles(t *testing.T, addr string, f testcert.Files, dial func(target, credentials.TransportCredentials) (*grpc.ClientConn, error)) export.Factory {
	t.Helper()
	files, errs := export.NewTLSFiles(f.Roots, f.Cert, f.Key)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	e := fromEnvironment(export.OTLPConfig{Endpoint: "https://" + addr, TLSFiles: files})
	e.Retry = export.Retry{Initial: 1, Max: 1}
	openSender := e.Open
	e.Open = func(env export.Env) (export.Sender, error) {
		s, err := openSender(env)
		if err == nil && dial != nil {
			s.(*sender).dial = dial
		}
		return s, err
	}
	return e
}

func TestCertificatesAreReadAgainWhenTheyChange(t *testing.T) {
	first, second := testcert.New(t, "first"), testcert.New(t, "second")
	col, trust, issuer := mutualCollector(t)
	trust(first)
	files := testcert.NewFiles(t)
	files.Install(t, first)
	l := open(t, withFiles(t, col.addr, files, nil))
	send := func(want uint64, from string) {
		t.Helper()
		l.send(t, 1)
		if s := l.Stats(); s.Delivered != want || issuer.Load() != from {
			t.Errorf("the client's certificate is from %v: %+v", issuer.Load(), s)
		}
	}
	send(1, "first")
	_, otherKey := second.Issue(t, "client")
	testcert.Replace(t, files.Key, otherKey) // in the middle of a renewal the pair does not match
	send(2, "first")
	files.Install(t, second)
	trust(second)
	send(3, "second")
}

func TestAConnectionThatCannotBeRenewedIsReportedAndTriedAgain(t *testing.T) {
	first, second := testcert.New(t, "first"), testcert.New(t, "second")
	col, trust, issuer := mutualCollector(t)
	trust(first)
	files := testcert.NewFiles(t)
	files.Install(t, first)
	failures := 0
	l := open(t, withFiles(t, col.addr, files, func(to target, creds credentials.TransportCredentials) (*grpc.ClientConn, error) {
		if failures++; failures <= 3 {
			return nil, errors.New("no more sockets")
		}
		return dial(to, creds)
	}))
	l.send(t, 1)
	files.Install(t, second)
	trust(second)
	l.send(t, 1)
	s := l.Stats()
	if s.Delivered != 2 || s.Failures != 3 || !strings.Contains(s.LastError, "no more sockets") || issuer.Load() != "second" {
		t.Errorf("the client's certificate is from %v: %+v", issuer.Load(), s)
	}
}
