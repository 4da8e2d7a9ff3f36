// Command prose checks the language of a source tree. It reports words in comments that name no action of code, lines
// of more than 120 characters, and public packages whose comments link to no symbol. Lines of test files may be longer,
// since a row of a table reads best as one line, and so may directives such as go:generate, which cannot be broken. It
// reads the files named as arguments, and exits with status 1 if it reports anything.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxLine = 120 // characters

var (
	banned = regexp.MustCompile(`(?i)\b(tell(s|ing)?|told|ask(s|ed|ing)?|judge[sd]?|likewise|hearsay|steps? aside)\b`)
	// quoted is the text of others in a comment.
	quoted    = regexp.MustCompile("\"[^\"]*\"|`[^`]*`")
	docLink   = regexp.MustCompile(`\[[*]?[A-Za-z][\w./]*\]`)
	generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
)

func main() {
	c := checker{links: map[string]bool{}}
	for _, name := range os.Args[1:] {
		if err := c.file(name); err != nil {
			fmt.Fprintln(os.Stderr, "prose:", err)
			os.Exit(1)
		}
	}
	for dir, has := range c.links {
		if !has {
			c.report(dir, 0, "the package's documentation has no [link] to a symbol")
		}
	}
	slices.Sort(c.reports)
	for _, r := range c.reports {
		fmt.Println(r)
	}
	if len(c.reports) > 0 {
		os.Exit(1)
	}
}

type checker struct {
	reports []string
	links   map[string]bool // public packages, and whether one of their comments links to a symbol
}

func (c *checker) report(name string, line int, format string, args ...any) {
	c.reports = append(c.reports, fmt.Sprintf("%s:%d: ", name, line)+fmt.Sprintf(format, args...))
}

func (c *checker) file(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if generated.Match(text) {
		return nil
	}
	if !strings.HasSuffix(name, "_test.go") {
		c.lines(name, string(text))
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, group := range f.Comments {
		for _, comment := range group.List {
			c.comment(name, files.Position(comment.Pos()).Line, comment.Text)
		}
	}
	if isPublic(name, f) {
		dir := path.Dir(name)
		c.links[dir] = c.links[dir] || slices.ContainsFunc(f.Comments, func(g *ast.CommentGroup) bool {
			return docLink.MatchString(g.Text())
		})
	}
	return nil
}

func (c *checker) lines(name, text string) {
	for i, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > maxLine && !strings.HasPrefix(line, "//go:") {
			c.report(name, i+1, "%d characters, at most %d", n, maxLine)
		}
	}
}

func (c *checker) comment(name string, line int, text string) {
	for i, l := range strings.Split(text, "\n") {
		if word := banned.FindString(quoted.ReplaceAllString(l, "")); word != "" {
			c.report(name, line+i, "%q names no action of code; say what is read, set, returned, reported or counted", word)
		}
	}
}

// ownUse matches the packages that serve this repository alone: those of the example programs, and tests in packages of
// their own.
var ownUse = regexp.MustCompile(`(^|/)(internal|examples|bench|e2e)/`)

// isPublic reports whether f belongs to a package that users import.
func isPublic(name string, f *ast.File) bool {
	return f.Name.Name != "main" && !strings.HasSuffix(name, "_test.go") &&
		!ownUse.MatchString(name) && path.Dir(name) != "."
}
