// Command evidence-foreign verifies bundles of evidence by transparency-dev's libraries, which know nothing of the engine. It
// prints "true" or "false" for each line of the file: whether everything in the bundle is proven.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

type place struct {
	Index  uint64 `json:"index"`
	Hashes []byte `json:"hashes"`
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
	Count  uint64 `json:"count"`
}

func decode(path []string) ([][]byte, error) {
	out := make([][]byte, len(path))
	for i, one := range path {
		hash, err := base64.StdEncoding.DecodeString(one)
		if err != nil {
			return nil, err
		}
		out[i] = hash
	}
	return out, nil
}

type score struct {
	AccountID     string   `json:"account_id"`
	Attempts      int16    `json:"attempts"`
	ByRules       *int16   `json:"by_rules"`
	Corridor      string   `json:"corridor"`
	Degradation   int16    `json:"degradation"`
	FeatureSchema int16    `json:"feature_schema"`
	Features      string   `json:"features"`
	Checksum      *int32   `json:"features_crc32"`
	ID            string   `json:"id"`
	Margin        *float64 `json:"margin"`
	Model         *string  `json:"model"`
	Probability   *float64 `json:"probability"`
	Reasons       string   `json:"reasons"`
	Risk          float64  `json:"risk"`
	RuleInputs    *string  `json:"rule_inputs"`
	RuleSet       string   `json:"rule_set"`
	Score         int16    `json:"score"`
	Scorecard     *int16   `json:"scorecard"`
	ScoredAt      string   `json:"scored_at"`
	Verdict       string   `json:"verdict"`
	Version       int      `json:"v"`
}

// epochMs is the time from 1970 to 2000, from where Postgres counts microseconds.
const epochMs = 946684800000

// scoreBytes makes what was hashed: the values in the order of their names, as Postgres sends them in binary.
func scoreBytes(content []byte) ([]byte, error) {
	var of score
	if err := json.Unmarshal(content, &of); err != nil {
		return nil, err
	}
	features, err := hex.DecodeString(of.Features)
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(strings.ReplaceAll(of.ID, "-", ""))
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, of.ScoredAt)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBufferString(fmt.Sprintf("score/%d\n", of.Version))
	put := func(value any) { binary.Write(out, binary.BigEndian, value) }
	text := func(value *string) {
		if value == nil {
			put(int32(-1))
			return
		}
		put(int32(len(*value)))
		out.WriteString(*value)
	}
	number := func(value any) {
		put(int32(binary.Size(value)))
		put(value)
	}
	small := func(value *int16) {
		if value == nil {
			put(int32(-1))
		} else {
			number(*value)
		}
	}
	raw := func(value []byte) {
		put(int32(len(value)))
		out.Write(value)
	}
	text(&of.AccountID)
	number(of.Attempts)
	if of.Version > 2 {
		small(of.ByRules)
	}
	text(&of.Corridor)
	number(of.Degradation)
	number(of.FeatureSchema)
	raw(features)
	if of.Checksum == nil {
		put(int32(-1))
	} else {
		number(*of.Checksum)
	}
	raw(id)
	if of.Version > 2 {
		number(math.Float64bits(*of.Margin))
	}
	text(of.Model)
	if of.Probability == nil {
		put(int32(-1))
	} else {
		number(math.Float64bits(*of.Probability))
	}
	text(&of.Reasons)
	number(math.Float64bits(of.Risk))
	text(of.RuleInputs)
	text(&of.RuleSet)
	number(of.Score)
	if of.Version > 2 {
		small(of.Scorecard)
	}
	number((at.UnixMilli() - epochMs) * 1000)
	text(&of.Verdict)
	return out.Bytes(), nil
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
		if it.Set == nil || content.Kind != "score" || it.Set.Index >= of.Count {
			return fmt.Errorf("no place in the set")
		}
		sum := sha256.Sum256(it.Set.Hashes)
		if hex.EncodeToString(sum[:]) != of.Sha256 || uint64(len(it.Set.Hashes)) != 32*of.Count {
			return fmt.Errorf("other hashes of the set")
		}
		packed, err := scoreBytes([]byte(it.Content))
		if err != nil {
			return err
		}
		hash := sha256.Sum256(packed)
		if !bytes.Equal(hash[:], it.Set.Hashes[32*it.Set.Index:32*it.Set.Index+32]) {
			return fmt.Errorf("another hash in the set")
		}
	} else if of.Kind == "gap" {
		if it.Content != it.Leaf {
			return fmt.Errorf("another gap")
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
