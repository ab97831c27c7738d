// Witnesses by others: a log of Tessera's that asks our witness for cosignatures, Torchwood's verdict on checkpoints that
// ours or its own witness cosigned, and an agent that holds the key of Torchwood's litewitness.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

func main() {
	commands := map[string]func([]string) error{
		"agent": serveAgent, "keys": makeKeys, "know": know, "append": appendTo, "open": open,
	}
	run, ok := commands[os.Args[1]]
	if !ok {
		panic("no such command")
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveAgent holds a new Ed25519 key behind a socket, and prints its fingerprint.
func serveAgent(args []string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", args[0])
	if err != nil {
		return err
	}
	fmt.Println(ssh.FingerprintSHA256(public))
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go agent.ServeAgent(keys, conn)
	}
}

// know tells litewitness of a log, as its witnessctl does, which is not built here: database, origin, verifier key.
func know(args []string) error {
	database, origin, vkey := args[0], args[1], args[2]
	db, err := sqlite.OpenConn(database, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer db.Close()
	empty := sha256.Sum256(nil)
	root := base64.StdEncoding.EncodeToString(empty[:])
	return errors.Join(
		sqlitex.Execute(db, "INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)",
			&sqlitex.ExecOptions{Args: []any{origin, root}}),
		sqlitex.Execute(db, "INSERT INTO key (origin, key) VALUES (?, ?)",
			&sqlitex.ExecOptions{Args: []any{origin, vkey}}),
	)
}

// makeKeys prints a signer key and a verifier key of a log of this name.
func makeKeys(args []string) error {
	private, public, err := note.GenerateKey(rand.Reader, args[0])
	fmt.Printf("%s\n%s\n", private, public)
	return err
}

// appendTo adds an entry to a log in a folder by Tessera, which publishes no checkpoint that the witness did not cosign:
// folder, signer key, address and key of the witness, entry.
func appendTo(args []string) error {
	folder, key, address, vkey, entry := args[0], args[1], args[2], args[3], args[4]
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	signer, err := note.NewSigner(key)
	if err != nil {
		return err
	}
	root, err := url.Parse(address)
	if err != nil {
		return err
	}
	witness, err := tessera.NewWitness(vkey, root)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: folder})
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(100*time.Millisecond).
		WithBatching(1, 10*time.Millisecond).
		WithWitnesses(tessera.NewWitnessGroup(1, witness), &tessera.WitnessOptions{Timeout: 2 * time.Second})
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	future := appender.Add(ctx, tessera.NewEntry([]byte(entry)))
	index, err := future()
	if err != nil {
		return err
	}
	for end := time.Now().Add(6 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if signed, err := reader.ReadCheckpoint(ctx); err == nil {
			cosigned := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(signer.Name()), policy(vkey, witnessVerifier))
			c, _, err := torchwood.VerifyCheckpoint(signed, cosigned)
			if err == nil && uint64(c.N) > index.Index {
				fmt.Printf("%d\n", c.N)
				return shutdown(ctx)
			}
		}
		if time.Now().After(end) {
			return errors.New("no cosigned checkpoint was published")
		}
	}
}

// open verifies a checkpoint from standard input by Torchwood: the keys of its log and of each witness; all are asked for.
func open(args []string) error {
	signed := make([]byte, 1<<20)
	n, err := os.Stdin.Read(signed)
	if err != nil {
		return err
	}
	policies := []torchwood.Policy{originOf(args[0]), policy(args[0], logVerifier)}
	for _, vkey := range args[1:] {
		policies = append(policies, policy(vkey, witnessVerifier))
	}
	checkpoint, opened, err := torchwood.VerifyCheckpoint(signed[:n], torchwood.ThresholdPolicy(len(policies), policies...))
	if err != nil {
		return err
	}
	for _, sig := range opened.Sigs[1:] {
		at, err := torchwood.CosignatureTimestamp(sig)
		if err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Hour {
			return fmt.Errorf("cosigned at %d: %v", at, err)
		}
	}
	fmt.Printf("%d\n", checkpoint.N)
	return nil
}

// originOf asks for the origin that is the name of the log's key.
func originOf(vkey string) torchwood.Policy {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		panic(err)
	}
	return torchwood.OriginPolicy(v.Name())
}

func policy(vkey string, verifier func(string) (note.Verifier, error)) torchwood.Policy {
	v, err := verifier(vkey)
	if err != nil {
		panic(err)
	}
	return torchwood.SingleVerifierPolicy(v)
}

func logVerifier(vkey string) (note.Verifier, error) { return note.NewVerifier(vkey) }

func witnessVerifier(vkey string) (note.Verifier, error) {
	return torchwood.NewCosignatureVerifier(vkey)
}
