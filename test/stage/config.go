package stage

import (
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3" // reads `off` as the word it is
)

// schedule is the schedule of a stage, so that nobody waits for a minute.
const schedule = "@every 1s"

// Document is a Config or a Policy, for changes before it is written.
type Document map[string]any

// Source is the Config's first source.
func (d Document) Source() Document {
	sources, _ := d["sources"].([]any)
	first, _ := sources[0].(map[string]any)
	return first
}

// AddSource adds another source to a Config.
func (d Document) AddSource(source Document) {
	sources, _ := d["sources"].([]any)
	d["sources"] = append(sources, map[string]any(source))
}

// configure writes Config and Policy, made from those of the examples.
func (s *Stage) configure(o Options) error {
	policy, err := readDocument(filepath.Join(s.root, "examples", "seed", "policy.yaml"))
	if err != nil {
		return err
	}
	config, err := readDocument(filepath.Join(s.root, "examples", "seed", "config.yaml"))
	if err != nil {
		return err
	}
	config["schedule"] = schedule
	source := config.Source()
	source["url"], source["checks"] = s.URL, map[string]any{"forge": "notes"}
	delete(source, "credentials")
	if len(s.credentials) > 0 {
		source["credentials"] = map[string]any(s.credentials)
	}
	if o.Config != nil {
		o.Config(config)
	}
	if o.Policy != nil {
		o.Policy(policy)
	}
	if err := s.WritePolicy(policy); err != nil {
		return err
	}
	return s.writeDocument(s.Config, config)
}

// Credentials are what the reconciler logs in to the repository with.
func (s *Stage) Credentials() Document { return s.credentials }

// Reconfigure changes the Config; it counts from the next start on.
func (s *Stage) Reconfigure(change func(Document)) error {
	config, err := readDocument(s.Config)
	if err != nil {
		return err
	}
	change(config)
	return s.writeDocument(s.Config, config)
}

// WritePolicy replaces the Policy.
func (s *Stage) WritePolicy(policy Document) error {
	return s.writeDocument(filepath.Join(filepath.Dir(s.Config), "policy.yaml"), policy)
}

// ReadPolicy is the Policy as it is now.
func (s *Stage) ReadPolicy() (Document, error) {
	return readDocument(filepath.Join(filepath.Dir(s.Config), "policy.yaml"))
}

func (s *Stage) writeDocument(path string, d Document) error {
	content, err := yaml.Marshal(d)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, []byte(s.names.own(string(content))), 0o600)
}

func readDocument(path string) (Document, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var d map[string]any
	if err := yaml.Unmarshal(content, &d); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return d, nil
}
