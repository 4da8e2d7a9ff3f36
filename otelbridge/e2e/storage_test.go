package e2e

import (
	"testing"

	"github.com/XSAM/otelsql"
	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // the driver
)

func TestSpansOfOtelsqlAreInTheTrace(t *testing.T) {
	c := compareWithSDK(t, func(t *testing.T, tr tracing) {
		db, err := otelsql.Open("sqlite", ":memory:", otelsql.WithTracerProvider(tr),
			otelsql.WithSpanOptions(otelsql.SpanOptions{RowsNext: true}))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ctx, end := tr.Span(t.Context(), "order")
		defer end()
		if _, err := db.ExecContext(ctx, "create table orders (id integer)"); err != nil {
			t.Error(err)
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, "insert into orders values (7)"); err != nil {
			t.Error(err)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
		var id int
		if err := db.QueryRowContext(ctx, "select id from orders").Scan(&id); err != nil || id != 7 {
			t.Error(id, err)
		}
		if _, err := db.ExecContext(ctx, "no sql"); err == nil {
			t.Error("no error")
		}
	})
	for _, s := range c.all() {
		if s.Name == "sql.conn.exec" && s.Status.GetCode() == 2 && len(s.Events) == 1 && s.Events[0].Name == "exception" {
			return
		}
	}
	t.Error("the failure is on no span")
}

func TestSpansOfRedisotelAreInTheTrace(t *testing.T) {
	compareWithSDK(t, func(t *testing.T, tr tracing) {
		client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
		defer client.Close()
		if err := redisotel.InstrumentTracing(client, redisotel.WithTracerProvider(tr)); err != nil {
			t.Fatal(err)
		}
		ctx, end := tr.Span(t.Context(), "order")
		defer end()
		if err := client.Set(ctx, "k", "v", 0).Err(); err != nil {
			t.Error(err)
		}
		if err := client.HGet(ctx, "k", "field").Err(); err == nil {
			t.Error("no error")
		}
		if _, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.Incr(ctx, "n")
			p.Get(ctx, "missing")
			return nil
		}); err != redis.Nil {
			t.Error(err)
		}
	})
}
