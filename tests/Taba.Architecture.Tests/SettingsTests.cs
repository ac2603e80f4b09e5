using System.Reflection;

namespace Taba.Architecture.Tests;

/// <summary>Whoever sets up a cluster finds every setting in the guide, that of clusters or that of telemetry.</summary>
public sealed class SettingsTests
{
    const string Clusters = "Taba:Clusters";

    [Fact]
    public void Guides_EverySetting_IsNamed()
    {
        var guide = Repository.Read("docs/guide/cluster.md") + Repository.Read("docs/guide/telemetry.md");
        Offenders.None(Keys().Where(key => !guide.Contains($"`{key}`", StringComparison.Ordinal)));
    }

    /// <summary>Options say their section; those of one cluster stand in a table of their own, by their last word.</summary>
    static IEnumerable<string> Keys() =>
        from project in new[] { "Taba.Grains", "Taba.Silo", "Taba.Storage" }
        from type in Assembly.Load(new AssemblyName(project)).GetTypes()
        let section = type.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string
        where section is not null
        from property in type.GetProperties().Where(p => p.SetMethod is not null && (section, p.Name) is not (Clusters, "Name"))
        select section == Clusters ? property.Name : $"{section}:{property.Name}";
}
