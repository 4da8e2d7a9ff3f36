package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spanloom/spanloom/traceview"
)

// keeper keeps the traces of a view in a file; with an empty file name it does nothing.
type keeper struct {
	file string
	view *traceview.View
}

// load reads the file if there is one.
func (k *keeper) load() error {
	if k.file == "" {
		return nil
	}
	f, err := os.Open(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return k.save() // so that a place that cannot be written to is known now
	}
	if err != nil {
		return fmt.Errorf("-keep: the file of traces was not read: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("-keep: the file of traces was not read: %s is not a regular file", k.file)
	}
	if err := k.view.Load(f); err != nil {
		return fmt.Errorf("-keep: the file of traces was not read: %s: %w", k.file, err)
	}
	return nil
}

// save writes a new file beside the old one and then puts it in its place, so that a crash leaves either whole.
func (k *keeper) save() (err error) {
	if k.file == "" {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(k.file), filepath.Base(k.file)+".*.tmp")
	if err != nil {
		return fmt.Errorf("-keep: %s cannot be written: %w", k.file, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
			err = fmt.Errorf("-keep: %w", err)
		}
	}()
	if err = k.view.Save(tmp); err != nil {
		_ = tmp.Close()
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), k.file)
}
