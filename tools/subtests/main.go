// Command subtests checks the tests of a source tree. It reports loops over a table of structs whose body reports
// failures outside of a subtest: a row has a name, by which it is run alone, and a failure of one row hides no other.
// Loops over anything but structs are left, since many of them are about one result. It reads the files named as
// arguments, of which those that hold no tests are skipped, and exits with status 1 if it reports anything.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
)

func main() {
	found := false
	files := token.NewFileSet()
	for _, name := range os.Args[1:] {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			fmt.Fprintln(os.Stderr, "subtests:", err)
			os.Exit(1)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || !strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			for _, loop := range rowLoops(fn) {
				fmt.Printf("%s: %s checks the rows of a table without a subtest for each\n", files.Position(loop), fn.Name.Name)
				found = true
			}
		}
	}
	if found {
		os.Exit(1)
	}
}

// rowLoops returns the positions of the loops of fn over rows that report failures by themselves. Loops inside of a
// [testing/synctest.Test] are left: no subtest can be started there.
func rowLoops(fn *ast.FuncDecl) (loops []token.Pos) {
	tables := map[string]bool{}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return !isSynctest(n)
		case *ast.AssignStmt:
			for i, v := range n.Rhs {
				if id, ok := n.Lhs[i].(*ast.Ident); ok && isTable(v) {
					tables[id.Name] = true
				}
			}
		case *ast.RangeStmt:
			id, ok := n.X.(*ast.Ident)
			if (isTable(n.X) || ok && tables[id.Name]) && failsOutsideSubtests(n.Body) {
				loops = append(loops, n.Pos())
			}
		}
		return true
	})
	return loops
}

// isTable reports whether e is a literal of a slice, an array or a map of structs whose type is written out.
func isTable(e ast.Expr) bool {
	literal, ok := e.(*ast.CompositeLit)
	if !ok {
		return false
	}
	var row ast.Expr
	switch t := literal.Type.(type) {
	case *ast.ArrayType:
		row = t.Elt
	case *ast.MapType:
		row = t.Value
	}
	_, ok = row.(*ast.StructType)
	return ok
}

var failures = map[string]bool{
	"Error": true, "Errorf": true, "Fatal": true, "Fatalf": true, "Fail": true, "FailNow": true,
}

// failsOutsideSubtests reports whether body fails the test by a method of t, but not of the t of a subtest.
func failsOutsideSubtests(body *ast.BlockStmt) (fails bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if startsSubtest(call) {
			return false
		}
		if method, ok := call.Fun.(*ast.SelectorExpr); ok && failures[method.Sel.Name] {
			receiver, ok := method.X.(*ast.Ident)
			fails = fails || ok && receiver.Name == "t"
		}
		return true
	})
	return fails
}

// startsSubtest reports whether call passes on a function with a parameter t of its own. The function of a
// [testing/synctest.Test] has one, too, and is no subtest.
func startsSubtest(call *ast.CallExpr) bool {
	return !isSynctest(call) && slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		f, ok := arg.(*ast.FuncLit)
		return ok && slices.ContainsFunc(f.Type.Params.List, func(field *ast.Field) bool {
			return len(field.Names) == 1 && field.Names[0].Name == "t"
		})
	})
}

func isSynctest(call *ast.CallExpr) bool {
	function, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := function.X.(*ast.Ident)
	return ok && pkg.Name == "synctest"
}
