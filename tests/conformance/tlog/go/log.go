package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Tiles are of 256 hashes.
const height = 8

// log recomputes the whole tree from the entries, and compares the root, every tile and the known checkpoint with it.
func (c checker) log() error {
	tree, err := c.openFile("log/checkpoint")
	if err != nil {
		return named("checkpoint", err)
	}
	hashes, err := c.recompute(tree.N)
	if err != nil {
		return named("entries", err)
	}
	var wrong []error
	root, err := tlog.TreeHash(tree.N, hashes)
	must(err)
	if root != tree.Hash {
		wrong = append(wrong, errors.New("recompute: another root"))
	}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		made, err := tlog.ReadTileData(tile, hashes)
		must(err)
		stored, err := os.ReadFile(c.path(tile))
		if err != nil || !bytes.Equal(made, stored) {
			wrong = append(wrong, fmt.Errorf("tiles: %s is not what was recomputed", tile.Path()))
		}
	}
	wrong = append(wrong, named("reader", c.tileReader()), named("known", c.goesOn(tree, hashes)))
	return errors.Join(wrong...)
}

// recompute hashes the entries of all bundles.
func (c checker) recompute(size int64) (tlog.HashReaderFunc, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, i := range indexes {
			found = append(found, stored[i])
		}
		return found, nil
	})
	for n := int64(0); n < size; {
		entries, err := c.bundle(n>>height, size)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			more, err := tlog.StoredHashes(n, entry, reader)
			if err != nil {
				return nil, err
			}
			stored = append(stored, more...)
			n++
		}
	}
	return reader, nil
}

// bundle reads exactly the entries that a tree of this size has of it.
func (c checker) bundle(number, size int64) ([][]byte, error) {
	width := min(size-number<<height, 1<<height)
	rest, err := os.ReadFile(c.path(tlog.Tile{H: height, L: -1, N: number, W: int(width)}))
	if err != nil {
		return nil, errors.New("a bundle is missing")
	}
	var entries [][]byte
	for len(rest) >= 2 && len(rest) >= 2+int(binary.BigEndian.Uint16(rest)) {
		end := 2 + int(binary.BigEndian.Uint16(rest))
		entries, rest = append(entries, rest[2:end]), rest[end:]
	}
	if len(rest) > 0 || len(entries) != int(width) {
		return nil, fmt.Errorf("bundle %d has %d entries and %d bytes, not %d entries", number, len(entries), len(rest), width)
	}
	return entries, nil
}

// goesOn proves that the log begins with the known one.
func (c checker) goesOn(tree tlog.Tree, hashes tlog.HashReader) error {
	known, err := c.openFile("known")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if known.N > tree.N {
		return errors.New("the log ends before the known checkpoint")
	}
	proof, err := tlog.ProveTree(tree.N, known.N, hashes)
	must(err)
	return tlog.CheckTree(proof, tree.N, tree.Hash, known.N, known.Hash)
}

// tileReader asks the tile reader for the hash of one entry of each bundle, as who fetches that entry would, and believes it.
func (c checker) tileReader() error {
	tree, err := c.openFile("log/checkpoint")
	if err != nil {
		return err
	}
	for number := int64(0); number<<height < tree.N; number++ {
		entries, err := c.bundle(number, tree.N)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if i%100 != 0 || (number > 8 && i > 0) {
				continue
			}
			index := tlog.StoredHashIndex(0, number<<height+int64(i))
			found, err := tlog.TileHashReader(tree, c).ReadHashes([]int64{index})
			if err != nil {
				return err
			}
			if found[0] != tlog.RecordHash(entry) {
				return fmt.Errorf("entry %d is not that of its tile", number<<height+int64(i))
			}
		}
	}
	return nil
}

func (c checker) Height() int { return height }

func (c checker) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		read, err := os.ReadFile(c.path(tile))
		if err != nil {
			return nil, errors.New(tile.Path() + " is missing")
		}
		data = append(data, read)
	}
	return data, nil
}

func (c checker) SaveTiles([]tlog.Tile, [][]byte) {}

// path is Go's own path of a tile, without the height that C2SP tlog-tiles leaves out.
func (c checker) path(tile tlog.Tile) string {
	parts := strings.SplitN(tile.Path(), "/", 4)
	if parts[2] == "data" {
		parts[2] = "entries"
	}
	return filepath.Join(c.folder, "log", parts[0], parts[2], parts[3])
}
