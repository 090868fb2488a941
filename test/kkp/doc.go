// Package kkp is a stand-in for Kubermatic Kubernetes Platform (KKP), for tests
// and the demo: KKP itself is not needed to run them, and is no part of this
// package. Nothing here goes into the portcullis command.
//
// It plays the three parts of KKP that Portcullis meets on a seed:
//
//   - The API: the CRDs of Cluster and Seed. With the environment variable
//     KKP_CRDS set to a folder of KKP's own CRDs (from any KKP release), those
//     are installed; else a trimmed version, written for this project, that has
//     the few fields that matter. Builders make objects that pass both.
//   - The webhook: a ValidatingAdmissionPolicy refuses what KKP's validation
//     refuses about expose strategy, allowlist and project.
//   - The controller: Run turns a Cluster into the Service front-loadbalancer,
//     by the formula of KKP v2.31. What goes wrong beside that is made by tests:
//     WithFault for KKP itself, BalancerSays for the cloud's load balancer.
//
// What it does not have: defaulting, namespaces made by themselves (see
// GiveNamespace), control planes, user clusters.
//
//	kkp.Install(ctx, cfg)                      // CRDs and policy, waits until both are in force
//	go kkp.Run(ctx, cfg)                       // until ctx ends
//	kkp.Create(ctx, c, kkp.NewCluster("qvjdddt72t", "h8s7d6f5g4"))
//	kkp.DashboardWrite(ctx, c, "qvjdddt72t", nil) // what a save in the dashboard does
package kkp
