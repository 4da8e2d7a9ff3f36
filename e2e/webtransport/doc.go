// Package webtransport runs sessions of webtransport-go behind [httpmw.Middleware], and compares them with sessions of
// a bare server. It is a module of its own, since webtransport-go does not build with the newest quic-go, which the
// other tests use.
//
// [httpmw.Middleware]: https://pkg.go.dev/github.com/spanloom/spanloom/httpmw#Middleware
package webtransport
