package e2e

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// fakePostgres answers simple queries on one connection: with one row, or with an error if the query says so.
func fakePostgres(t *testing.T) (address string, wait func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- servePostgres(l) }()
	return l.Addr().String(), func() {
		l.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func servePostgres(l net.Listener) error {
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return err
	}
	ready := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	for {
		b.Send(ready)
		if err := b.Flush(); err != nil {
			return err
		}
		message, err := b.Receive()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return err
		}
		query, ok := message.(*pgproto3.Query)
		switch {
		case !ok:
			return nil // the end of the connection
		case strings.Contains(query.String, "missing"):
			b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42P01", Message: "no such table"})
		default:
			b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("id"), DataTypeOID: 23}}})
			b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("7")}})
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		}
	}
}

func TestSpansOfOtelpgxAreInTheTrace(t *testing.T) {
	compareWithSDK(t, func(t *testing.T, tr tracing) {
		address, wait := fakePostgres(t)
		defer wait()
		cfg, err := pgx.ParseConfig("postgres://shop@" + address + "/shop?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		cfg.Tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(tr), otelpgx.WithIncludeQueryParameters())
		ctx, end := tr.Span(t.Context(), "order")
		defer end()
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		var id int
		if err := conn.QueryRow(ctx, "select id from orders").Scan(&id); err != nil || id != 7 {
			t.Error(id, err)
		}
		if _, err := conn.Exec(ctx, "select id from missing"); err == nil {
			t.Error("no error")
		}
	})
}
