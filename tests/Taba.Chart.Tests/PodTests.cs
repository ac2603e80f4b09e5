using System.Globalization;
using k8s.Models;

namespace Taba.Chart.Tests;

/// <summary>What every pod must have, and what pods of pools are given.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class PodTests
{
    public static TheoryData<string> CiNames => [.. ChartFiles.CiNames];

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Container_Probes_AskTheOperationsPort(string name)
    {
        foreach (var container in await ContainersAsync(name))
        {
            var operations = Assert.Single(container.Ports, p => p.Name.StartsWith("operations", StringComparison.Ordinal));
            Assert.Equal(Setting(container, "Taba__Web__OperationsPort"), Text(operations.ContainerPort));
            Assert.Equal("/health/startup", container.StartupProbe.HttpGet.Path);
            Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
            Assert.Equal("/health/live", container.LivenessProbe.HttpGet.Path);
            Assert.All(
                [container.StartupProbe, container.ReadinessProbe, container.LivenessProbe],
                p => Assert.Equal(operations.Name, p.HttpGet.Port.Value));
            Assert.Equal(600, container.StartupProbe.PeriodSeconds * container.StartupProbe.FailureThreshold);
        }
    }

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Container_Security_AllowsNothing(string name)
    {
        foreach (var pod in (await RenderedChart.DeploymentsAsync(name)).Select(d => d.Spec.Template.Spec))
        {
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal(1654, pod.SecurityContext.RunAsUser);
            Assert.Equal(1654, pod.SecurityContext.FsGroup);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            foreach (var security in pod.Containers.Select(c => c.SecurityContext))
            {
                Assert.True(security.RunAsNonRoot);
                Assert.True(security.ReadOnlyRootFilesystem);
                Assert.False(security.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], security.Capabilities.Drop);
                Assert.Equal("RuntimeDefault", security.SeccompProfile.Type);
            }
        }
    }

    /// <summary>The root file system cannot be written to: scratch files, the home and the store lie in volumes.</summary>
    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Container_FoldersThatItWrites_AreVolumes(string name)
    {
        foreach (var container in await ContainersAsync(name))
        {
            var written = new[] { "TMPDIR", "HOME" }.Select(v => Setting(container, v))
                .Append(ClusterSetting(container, "Store")).Where(path => path.StartsWith('/'));
            Assert.All(written, path => Assert.Contains(container.VolumeMounts, m => m.MountPath == path && m.ReadOnlyProperty != true));
        }
    }

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Container_Resources_HaveMemoryAndNoLimitOfProcessors(string name)
    {
        foreach (var resources in (await ContainersAsync(name)).Select(c => c.Resources))
        {
            Assert.Contains("cpu", resources.Requests.Keys);
            Assert.DoesNotContain("cpu", resources.Limits.Keys);
            Assert.Contains("memory", resources.Limits.Keys);
        }
    }

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Container_SettingsOfTaba_Exist(string name)
    {
        var known = Known();
        foreach (var container in await ContainersAsync(name))
        {
            var given = container.Env.Where(e => e.Name.StartsWith("Taba__", StringComparison.Ordinal)).Select(e => Key(e.Name)).ToList();
            Assert.NotEmpty(given);
            Assert.Empty(given.Except(known));
            Assert.Equal(given.Count, given.Distinct().Count());
        }
    }

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task ClientSettings_OfTheConfigMap_AreThoseOfTheSilos(string name)
    {
        var objects = RenderedChart.Objects(await RenderedChart.TextAsync(name));
        var client = Assert.Single(objects.OfType<V1ConfigMap>(), c => c.Metadata.Name.EndsWith("-client", StringComparison.Ordinal));
        Assert.Empty(client.Data.Keys.Select(Key).Except(Known()));
        foreach (var container in objects.OfType<V1Deployment>().SelectMany(d => d.Spec.Template.Spec.Containers))
            Assert.All(client.Data, pair => Assert.Equal(pair.Value, Setting(container, pair.Key)));
    }

    /// <summary>A file of a secret that a setting names is one that the pod mounts.</summary>
    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Container_FilesOfSecrets_AreMounted(string name)
    {
        foreach (var pod in (await RenderedChart.DeploymentsAsync(name)).Select(d => d.Spec.Template.Spec))
        {
            var volume = Assert.Single(pod.Volumes, v => v.Name == "secrets");
            var files = volume.Projected.Sources.SelectMany(s => s.Secret.Items).Select(i => $"/run/secrets/taba/{i.Path}").ToList();
            foreach (var container in pod.Containers)
            {
                Assert.Contains(container.VolumeMounts, m => m.Name == "secrets" && m.MountPath == "/run/secrets/taba");
                var named = container.Env.Select(e => e.Value).Where(v => v?.StartsWith("/run/secrets/", StringComparison.Ordinal) == true);
                Assert.Equal(files.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
            }
        }
    }

    [Fact]
    public async Task SchemaJob_OfADatabase_MigratesAsItsOwnerAndNeverForRedis()
    {
        var job = Assert.Single(RenderedChart.Objects(await RenderedChart.TextAsync(
            "minimal", null, "--set", "schema.existingSecret=owner", "--set", "schema.existingSecretKey=dsn")).OfType<V1Job>());
        var container = Assert.Single(job.Spec.Template.Spec.Containers);
        Assert.Equal(["cluster", "migrate", "--cluster", "taba"], container.Args);
        Assert.Equal("taba-client", Assert.Single(container.EnvFrom).ConfigMapRef.Name);
        var secret = Assert.Single(Assert.Single(job.Spec.Template.Spec.Volumes, v => v.Name == "secrets").Projected.Sources).Secret;
        Assert.Equal(("owner", "dsn", "database"), (secret.Name, secret.Items[0].Key, secret.Items[0].Path));
        // The selectors of silos do not meet it.
        Assert.DoesNotContain("app.kubernetes.io/instance", job.Spec.Template.Metadata.Labels.Keys);

        Assert.Empty(RenderedChart.Objects(await RenderedChart.TextAsync("redis")).OfType<V1Job>());
        Assert.Empty(RenderedChart.Objects(await RenderedChart.TextAsync("minimal", null, "--set", "schema.job=false")).OfType<V1Job>());
    }

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Pod_TimeToEnd_IsLongerThanTheDrain(string name)
    {
        foreach (var pod in (await RenderedChart.DeploymentsAsync(name)).Select(d => d.Spec.Template.Spec))
            Assert.All(pod.Containers, c => Assert.Equal(
                TimeSpan.FromSeconds(pod.TerminationGracePeriodSeconds!.Value - 30),
                TimeSpan.Parse(ClusterSetting(c, "DrainFor"), CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData(1, "00:00:01")]
    [InlineData(3600, "01:00:00")]
    public async Task DrainFor_Ends_AreTimeSpans(int seconds, string expected)
    {
        var workers = await RenderedChart.DeploymentsAsync("minimal", "--set", $"cluster.drainFor={seconds}");
        Assert.All(workers, d => Assert.Equal(expected, ClusterSetting(d.Spec.Template.Spec.Containers[0], "DrainFor")));
    }

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Deployment_Selectors_MeetItsOwnPodsOnly(string name)
    {
        var all = await RenderedChart.DeploymentsAsync(name);
        foreach (var one in all)
        {
            var met = all.Where(d => one.Spec.Selector.MatchLabels.All(l => d.Spec.Template.Metadata.Labels.Contains(l)));
            Assert.Equal(one, Assert.Single(met));
        }
    }

    [Fact]
    public async Task Pool_OfTwoDevices_HasASiloWithAGpuAndPortsForEach()
    {
        var pool = Pool(await RenderedChart.DeploymentsAsync("redis"), "pairs");
        Assert.Equal(3, pool.Spec.Replicas);
        var containers = pool.Spec.Template.Spec.Containers;
        Assert.Equal(["silo", "silo-1"], containers.Select(c => c.Name));
        Assert.All(containers, c => Assert.Equal("1", c.Resources.Limits["nvidia.com/gpu"].ToString()));
        Assert.Equal(["$(POD_NAME)", "$(POD_NAME)-1"], containers.Select(c => Argument(c, "--name")));
        Assert.All(containers, c => Assert.Equal("cuda:0", Argument(c, "--device")));
        Assert.All(containers, c => Assert.Equal("$(POD_IP)", ClusterSetting(c, "Address")));
        Assert.Equal(["11111", "11112"], containers.Select(c => ClusterSetting(c, "SiloPort")));
        Assert.Equal(["30000", "30001"], containers.Select(c => ClusterSetting(c, "GatewayPort")));
        Assert.Equal(8, containers.SelectMany(c => c.Ports).Select(p => p.ContainerPort).Distinct().Count());
        Assert.Equal(8, containers.SelectMany(c => c.Ports).Select(p => p.Name).Distinct().Count());
        var scratch = containers.SelectMany(c => c.VolumeMounts).Where(m => m.Name == "scratch");
        Assert.Equal(4, scratch.Select(m => m.SubPath).Distinct().Count());
    }

    [Fact]
    public async Task Pool_OfProcessors_AsksForNoGpu()
    {
        var container = Assert.Single(Pool(await RenderedChart.DeploymentsAsync("redis"), "processors").Spec.Template.Spec.Containers);
        Assert.Equal(["memory"], container.Resources.Limits.Keys);
        Assert.Equal("cpu", Argument(container, "--device"));
    }

    [Fact]
    public async Task Pool_EmptyValues_WinOverTheDefaults()
    {
        var all = await RenderedChart.DeploymentsAsync("everything");
        Assert.Equal(0, Pool(all, "whole").Spec.Replicas);
        Assert.Null(Pool(all, "whole").Spec.Template.Spec.Tolerations);
        Assert.Single(Pool(all, "mig").Spec.Template.Spec.Tolerations);
        Assert.DoesNotContain(Pool(all, "whole").Spec.Template.Spec.Containers, c => c.Resources.Limits.ContainsKey("nvidia.com/gpu"));
        var container = Assert.Single(Pool(all, "mig").Spec.Template.Spec.Containers);
        Assert.Equal("1", container.Resources.Limits["nvidia.com/mig-1g.10gb"].ToString());
    }

    [Fact]
    public async Task Pool_ThatScalesByItself_SaysNoReplicas()
    {
        var all = await RenderedChart.DeploymentsAsync("everything");
        Assert.Null(Pool(all, "a100").Spec.Replicas);
        Assert.Equal(7, Pool(all, "mig").Spec.Replicas);
    }

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Pool_Rollout_WantsNoSpareGpu(string name)
    {
        foreach (var pool in (await RenderedChart.DeploymentsAsync(name)).Where(d => d.Metadata.Labels.ContainsKey("taba/pool")))
        {
            Assert.Equal("0", pool.Spec.Strategy.RollingUpdate.MaxSurge.Value);
            Assert.Equal("1", pool.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
        }
    }

    [Theory]
    [InlineData("minimal", true)]
    [InlineData("minimal", false)]
    public async Task Service_Selector_IsTheCoordinatorsWhereThereAreSome(string name, bool coordinators)
    {
        var objects = RenderedChart.Objects(
            await RenderedChart.TextAsync(name, null, "--set", $"coordinators.enabled={(coordinators ? "true" : "false")}"));
        var service = Assert.Single(objects.OfType<V1Service>());
        var behind = objects.OfType<V1Deployment>()
            .Where(d => service.Spec.Selector.All(l => d.Spec.Template.Metadata.Labels.Contains(l))).Select(d => d.Metadata.Name);
        Assert.Equal([coordinators ? "taba-coordinator" : "taba-gpu"], behind);
    }

    [Fact]
    public async Task NetworkPolicy_PortsOfSilos_AreOpenToTheReleaseAndClientsAlone()
    {
        var objects = RenderedChart.Objects(await RenderedChart.TextAsync("everything"));
        var policy = Assert.Single(objects.OfType<V1NetworkPolicy>(), p => p.Metadata.Name == "sweeps");
        var rules = policy.Spec.Ingress;
        Assert.All(rules, r => Assert.NotEmpty(r.FromProperty));
        var silo = Assert.Single(rules, r => r.Ports.Any(p => p.Port.Value == "11111"));
        Assert.Equal("taba", Assert.Single(silo.FromProperty).PodSelector.MatchLabels["app.kubernetes.io/instance"]);
        // A pod of the pool "whole" has four silos.
        Assert.Equal(11114, Assert.Single(silo.Ports, p => p.Port.Value == "11111").EndPort);
        var clients = Assert.Single(rules, r => r.FromProperty.Any(f => f.PodSelector?.MatchLabels.ContainsKey("taba/client") == true));
        Assert.Equal("30000", Assert.Single(clients.Ports).Port.Value);
        var operations = Assert.Single(rules, r => r.Ports.Any(p => p.Port.Value == "9464"));
        Assert.Equal(
            "monitoring", Assert.Single(operations.FromProperty).NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"]);
    }

    static V1Deployment Pool(List<V1Deployment> all, string name) =>
        Assert.Single(all, d => d.Spec.Template.Metadata.Labels.TryGetValue("taba/pool", out var pool) && pool == name);

    static async Task<List<V1Container>> ContainersAsync(string name)
    {
        List<V1Container> all = [.. (await RenderedChart.DeploymentsAsync(name)).SelectMany(d => d.Spec.Template.Spec.Containers)];
        Assert.NotEmpty(all);
        return all;
    }

    static HashSet<string> Known()
    {
        var known = ChartFiles.SettingsOfTheSource();
        Assert.Contains("Taba:Clusters:ConnectionStringFile", known);
        Assert.Contains("Taba:Clusters:Tls:KeyFile", known);
        Assert.Contains("Taba:Engine:BatchSize", known);
        return known;
    }

    /// <summary>"Taba__Clusters__lab__Store" is "Taba:Clusters:Store", whatever the cluster's name.</summary>
    static string Key(string variable)
    {
        var words = variable.Split("__");
        return string.Join(':', words.Where((_, i) => i != 2 || words[1] != "Clusters"));
    }

    static string Setting(V1Container container, string name) => Assert.Single(container.Env, e => e.Name == name).Value;

    static string ClusterSetting(V1Container container, string name) => Assert.Single(
        container.Env, e => e.Name == $"Taba__Clusters__{Argument(container, "--cluster")}__{name}").Value;

    static string Argument(V1Container container, string name) => container.Args[container.Args.IndexOf(name) + 1];

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
