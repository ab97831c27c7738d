// Adds the entries of a file to a log of Tessera's POSIX driver, until a checkpoint covers all of them: prints for how
// many milliseconds. Each entry comes after its length in four bytes.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// How many entries wait at once for their place in the log.
const waiting = 8192

func main() {
	ctx := context.Background()
	entries := read(os.Args[1])
	private, _, err := note.GenerateKey(rand.Reader, "bank.example/ledger/bench")
	must(err)
	signer, err := note.NewSigner(private)
	must(err)
	driver, err := posix.New(ctx, posix.Config{Path: os.Args[2]})
	must(err)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(100*time.Millisecond).
		WithBatching(4096, 50*time.Millisecond).
		WithPushback(4*waiting))
	must(err)
	await := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 10*time.Millisecond)

	started := time.Now()
	places := make(chan struct{}, waiting)
	var done sync.WaitGroup
	var last tessera.IndexFuture
	for _, entry := range entries {
		places <- struct{}{}
		future := appender.Add(ctx, tessera.NewEntry(entry))
		last = future
		done.Go(func() {
			_, err := future()
			must(err)
			<-places
		})
	}
	done.Wait()
	_, _, err = await.Await(ctx, last)
	must(err)
	size, err := reader.IntegratedSize(ctx)
	must(err)
	elapsed := time.Since(started)
	if size != uint64(len(entries)) {
		log.Fatalf("%d of %d entries are in the log", size, len(entries))
	}
	fmt.Println(elapsed.Milliseconds())
	must(shutdown(ctx))
}

func read(path string) [][]byte {
	file, err := os.Open(path)
	must(err)
	in := bufio.NewReaderSize(file, 1<<20)
	var entries [][]byte
	for {
		var length uint32
		if err := binary.Read(in, binary.BigEndian, &length); err == io.EOF {
			return entries
		} else {
			must(err)
		}
		entry := make([]byte, length)
		_, err := io.ReadFull(in, entry)
		must(err)
		entries = append(entries, entry)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
