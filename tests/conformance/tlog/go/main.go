// Checks logs and proofs by Go's own packages (golang.org/x/mod/sumdb/note and tlog): a line for each case, by tabs: its
// id, `verifies` or `refuses`, and why. Ends with 1 where a verdict is not the expected one.
//
// With -reader it asks the tile reader alone about the case of CVE-2026-56865, for the version that it is built with.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

type logCase struct {
	ID, Name string
	Log      bool
	Expected struct{ Go string }
}

func main() {
	reader := flag.String("reader", "", "what the tile reader alone is expected to say of the CVE's case")
	flag.Parse()
	folder := flag.Arg(0)
	vkey, err := os.ReadFile(filepath.Join(folder, "vkey"))
	must(err)
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	must(err)
	var cases []logCase
	readJSON(filepath.Join(folder, "cases.json"), &cases)
	ok, asked := true, false
	for _, c := range cases {
		at := checker{filepath.Join(folder, c.ID), note.VerifierList(verifier), verifier.Name()}
		expected, check := c.Expected.Go, at.check
		if *reader != "" {
			if !strings.Contains(c.Name, "CVE-2026-56865") {
				continue
			}
			expected, check = *reader, func(bool) error { return at.tileReader() }
		}
		asked = true
		verdict, why := "verifies", ""
		if err := check(c.Log); err != nil {
			verdict, why = "refuses", err.Error()
		}
		fmt.Printf("%s\t%s\t%s\n", c.ID, verdict, why)
		ok = ok && verdict == expected
	}
	fmt.Fprintln(os.Stderr, "by golang.org/x/mod", version())
	if !ok || !asked {
		os.Exit(1)
	}
}

type checker struct {
	folder string
	keys   note.Verifiers
	origin string
}

// check looks at all that there is of a case, and tells everything that is wrong with it.
func (c checker) check(log bool) error {
	var wrong []error
	if log {
		wrong = append(wrong, c.log())
	}
	var proofs []entryProof
	readJSON(filepath.Join(c.folder, "proofs.json"), &proofs)
	for _, p := range proofs {
		wrong = append(wrong, named("inclusion", c.inclusion(p)))
	}
	var trees []treeProof
	readJSON(filepath.Join(c.folder, "consistency.json"), &trees)
	for _, p := range trees {
		wrong = append(wrong, named("consistency", c.consistency(p)))
	}
	return oneLine(errors.Join(wrong...))
}

func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func oneLine(err error) error {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	slices.Sort(lines)
	return errors.New(strings.Join(slices.Compact(lines), "; "))
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, dep := range info.Deps {
		if dep.Path == "golang.org/x/mod" {
			return dep.Version
		}
	}
	return "?"
}

func readJSON(file string, into any) {
	read, err := os.ReadFile(file)
	must(err)
	must(json.Unmarshal(read, into))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
