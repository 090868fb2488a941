// Package stage sets up a whole installation of Portcullis for the demo and
// the end-to-end tests: real servers, the real command, and a stand-in for KKP.
//
// A Seed is a control plane with KKP's objects on it, and takes some seconds
// to start. A Stage is one installation on it: clusters, a repository made
// from examples/tenants, a Config and a Policy made from examples/seed, and
// `portcullis run` as a process of its own. Several stages can share one seed:
//
//	seed, err := stage.StartSeed(ctx, servers.ControlPlaneOptions{})
//	st, err := stage.New(ctx, seed, stage.Options{Dir: dir, Binary: "bin/portcullis", Suffix: "7qx"})
//	first, err := st.Populate(ctx)               // clusters and the first commit
//	err = st.Run.Start()                         // portcullis run
//	sha, err := st.Push(ctx, stage.Commit{Write: map[string]string{"acme/production.yaml": text}})
//	err = st.Await(ctx, "the list", time.Minute, func(ctx context.Context) error { ... })
//	err = errors.Join(st.Run.Stop(ctx), st.Close(ctx))
//
// So that stages do not meet on a shared seed, each has its own names of
// clusters and projects: the end of each name is replaced by the stage's
// suffix in what is pushed and written, and put back in what is read. Those who
// use a stage use the names of the examples only.
//
// Story is the tale that the demo shows and the tests check.
package stage
