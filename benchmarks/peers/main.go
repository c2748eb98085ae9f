// Command peers answers lines of HPA cases with Kubernetes' own code: a state with the replica calculator, a timeline
// with the whole controller under virtual time. Podium's `podium policy eval` answers the same lines.
//
//	peers answer [-full] < cases.jsonl > answers.jsonl
//	peers expand < cases.jsonl > cases-without-follow.jsonl
//	peers bench -workloads 10000 [-pods 5] [-rounds 3]
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"k8s.io/klog/v2"
)

func main() {
	quit(run(os.Args[1:]))
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("expected a verb: answer, expand or bench")
	}
	flags := flag.NewFlagSet("peers "+args[0], flag.ExitOnError)
	full := flags.Bool("full", false, "with messages and currentMetrics")
	workloads := flags.Int("workloads", 10_000, "how many workloads are decided")
	pods := flags.Int("pods", 5, "how many pods each has")
	rounds := flags.Int("rounds", 3, "how often; the fastest counts")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	switch args[0] {
	case "answer", "expand":
		underVirtualTime(func(t *testing.T, out io.Writer) error {
			return answer(t, os.Stdin, out, *full, args[0] == "expand")
		})
	case "bench":
		return bench(os.Stdout, *workloads, *pods, *rounds)
	default:
		return fmt.Errorf("no verb %q: answer, expand or bench", args[0])
	}
	return nil
}

// underVirtualTime lends a test to whoever needs synctest, which gives its bubbles to tests alone, and ends the process.
func underVirtualTime(run func(t *testing.T, out io.Writer) error) {
	out := os.Stdout
	os.Stdout, _ = os.Open(os.DevNull) // where testing says PASS
	os.Args = os.Args[:1]
	everything := func(string, string) (bool, error) { return true, nil }
	test := testing.InternalTest{Name: "peers", F: func(t *testing.T) { quit(run(t, out)) }}
	testing.Main(everything, []testing.InternalTest{test}, nil, nil)
}

func quit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(2)
	}
}

// answer reads lines and writes one line for each. States share bubbles, because no time passes in them.
func answer(t *testing.T, in io.Reader, out io.Writer, full, expand bool) error {
	reader := bufio.NewReaderSize(in, 1<<20)
	writer := bufio.NewWriterSize(out, 1<<20)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	number := 0
	next := func() (*Line, error) {
		text, err := reader.ReadBytes('\n')
		if len(text) == 0 {
			return nil, err
		}
		number++
		line := &Line{}
		if err := json.Unmarshal(text, line); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if err := line.fill(); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		return line, setGates(line.FeatureGates)
	}
	line, err := next()
	for err == nil {
		if line.Ticks != nil {
			inBubble(t, func() {
				answer, written, problem := answerTimeline(line, full)
				err = problem
				if err == nil && expand {
					err = encoder.Encode(written)
				} else if err == nil {
					err = encoder.Encode(answer)
				}
			})
			if err == nil {
				line, err = next()
			}
			continue
		}
		inBubble(t, func() {
			time.Sleep(time.Until(zero))
			for err == nil && line.Ticks == nil {
				var answer *StateAnswer
				if expand {
					err = encoder.Encode(line)
				} else if answer, err = answerState(line); err == nil {
					err = encoder.Encode(answer)
				}
				if err == nil {
					line, err = next()
				}
			}
		})
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	return writer.Flush()
}
