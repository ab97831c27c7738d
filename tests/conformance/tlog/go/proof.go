package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type entryProof struct {
	Text  string
	Entry []byte
}

type treeProof struct {
	From, To string
	Hashes   [][]byte
}

func (c checker) inclusion(p entryProof) error {
	head, checkpoint, _ := strings.Cut(p.Text, "\n\n")
	lines := strings.Split(head, "\n")
	var index int64
	if _, err := fmt.Sscanf(lines[1], "index %d", &index); err != nil || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	tree, err := c.open([]byte(checkpoint))
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	if index >= tree.N {
		return errors.New("the index is beyond the log")
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(p.Entry))
}

func (c checker) consistency(p treeProof) error {
	from, err := c.open([]byte(p.From))
	if err != nil {
		return err
	}
	to, err := c.open([]byte(p.To))
	if err != nil {
		return err
	}
	var proof tlog.TreeProof
	for _, bytes := range p.Hashes {
		hash, err := tlog.ParseHash(base64.StdEncoding.EncodeToString(bytes))
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	return tlog.CheckTree(proof, to.N, to.Hash, from.N, from.Hash)
}

func (c checker) openFile(name string) (tlog.Tree, error) {
	signed, err := os.ReadFile(filepath.Join(c.folder, name))
	if err != nil {
		return tlog.Tree{}, errors.Join(os.ErrNotExist, errors.New("there is none"))
	}
	return c.open(signed)
}

// open verifies a signed checkpoint. tlog reads checkpoints of Go's own database alone, so its first line is put there.
func (c checker) open(signed []byte) (tlog.Tree, error) {
	opened, err := note.Open(signed, c.keys)
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != c.origin {
		return tlog.Tree{}, errors.New("another origin")
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}
