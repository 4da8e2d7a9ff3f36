package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestMistakesOnTheCommandLineAreOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":     {[]string{"-bogus"}, "spanview: flag provided but not defined: -bogus; spanview -h lists the flags\n"},
		"no number":        {[]string{"-memory", "much"}, `spanview: invalid value "much" for flag -memory: parse error; spanview -h lists the flags` + "\n"},
		"a file":           {[]string{"trace.json"}, `spanview: unknown argument "trace.json"; files of traces are opened by dropping them on the page` + "\n"},
		"no place to keep": {[]string{"-keep", "/nowhere/at/all/traces"}, "spanview: -keep: /nowhere/at/all/traces cannot be written: "},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			if status := run(t.Context(), c.args, io.Discard, &stderr); status == 0 {
				t.Error("status 0")
			}
			if got := stderr.String(); !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestHelpListsTheFlags(t *testing.T) {
	var stderr bytes.Buffer
	if status := run(t.Context(), []string{"-h"}, io.Discard, &stderr); status != 0 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{"spanview is a collector", "-otlp-http port", "-keep file"} {
		if strings.Count(stderr.String(), want) != 1 {
			t.Errorf("%q is not there once in %s", want, stderr.String())
		}
	}
}
