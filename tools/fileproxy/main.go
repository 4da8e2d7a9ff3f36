// Command fileproxy adds one version of a module to a directory that GOPROXY=file://DIRECTORY can serve. It is for
// rehearsing a release; see RELEASE.md.
//
//	fileproxy -proxy DIRECTORY -version v0.1.0 MODULE
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	proxy := flag.String("proxy", "", "directory of the proxy")
	version := flag.String("version", "", "version to add, such as v0.1.0")
	flag.Parse()
	if flag.NArg() != 1 || *proxy == "" || *version == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := add(*proxy, *version, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "fileproxy:", err)
		os.Exit(1)
	}
}

// add writes the four files of https://go.dev/ref/mod#goproxy-protocol for the module in dir.
func add(proxy, version, dir string) error {
	gomod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	v := module.Version{Path: modfile.ModulePath(gomod), Version: version}
	escaped, err := module.EscapePath(v.Path)
	if err != nil {
		return err
	}
	at := filepath.Join(proxy, escaped, "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC()})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		version + ".info": info, version + ".mod": gomod, "list": []byte(version + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(at, name), content, 0o644); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		return err
	}
	if err := zip.CreateFromDir(f, v, dir); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
