// Command evidence-foreign verifies bundles of evidence by transparency-dev's libraries, which know nothing of the engine. It
// prints "true" or "false" for each line of the file: whether everything in the bundle is proven.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

type place struct {
	Index uint64   `json:"index"`
	Size  uint64   `json:"size"`
	Raw   []string `json:"path"`
}

type claim struct {
	Content string   `json:"content"`
	Set     *place   `json:"set"`
	Leaf    string   `json:"leaf"`
	Index   uint64   `json:"index"`
	Path    []string `json:"path"`
}

type bundle struct {
	Checkpoint string  `json:"checkpoint"`
	Proofs     []claim `json:"proofs"`
}

type leaf struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Sha256 string `json:"sha256"`
	Root   string `json:"root"`
	Count  uint64 `json:"count"`
}

func decode(path []string) ([][]byte, error) {
	out := make([][]byte, len(path))
	for i, one := range path {
		bytes, err := base64.StdEncoding.DecodeString(one)
		if err != nil {
			return nil, err
		}
		out[i] = bytes
	}
	return out, nil
}

func verifyClaim(it claim, size uint64, root []byte) error {
	var of leaf
	if err := json.Unmarshal([]byte(it.Leaf), &of); err != nil {
		return err
	}
	var content leaf
	if err := json.Unmarshal([]byte(it.Content), &content); err != nil {
		return err
	}
	hasher := rfc6962.DefaultHasher
	if of.Kind == "scores" {
		if it.Set == nil || it.Set.Size != of.Count || content.Kind != "score" {
			return fmt.Errorf("no place in the batch")
		}
		path, err := decode(it.Set.Raw)
		if err != nil {
			return err
		}
		want, err := hex.DecodeString(of.Root)
		if err != nil {
			return err
		}
		hash := hasher.HashLeaf([]byte(it.Content))
		if err := proof.VerifyInclusion(hasher, it.Set.Index, it.Set.Size, hash, path, want); err != nil {
			return err
		}
	} else {
		sum := sha256.Sum256([]byte(it.Content))
		if hex.EncodeToString(sum[:]) != of.Sha256 || content.Kind != of.Kind || content.ID != of.ID {
			return fmt.Errorf("another content")
		}
	}
	path, err := decode(it.Path)
	if err != nil {
		return err
	}
	return proof.VerifyInclusion(hasher, it.Index, size, hasher.HashLeaf([]byte(it.Leaf)), path, root)
}

func verify(line []byte, origin string, key note.Verifier) error {
	var of bundle
	if err := json.Unmarshal(line, &of); err != nil {
		return err
	}
	checkpoint, _, _, err := log.ParseCheckpoint([]byte(of.Checkpoint), origin, key)
	if err != nil {
		return err
	}
	if len(of.Proofs) == 0 {
		return fmt.Errorf("no proof")
	}
	for _, it := range of.Proofs {
		if err := verifyClaim(it, checkpoint.Size, checkpoint.Hash); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	key, err := note.NewVerifier(os.Args[2])
	if err != nil {
		panic(err)
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		fmt.Println(verify(scanner.Bytes(), key.Name(), key) == nil)
	}
	if err := scanner.Err(); err != nil {
		panic(err)
	}
}
