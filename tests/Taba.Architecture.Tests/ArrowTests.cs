namespace Taba.Architecture.Tests;

/// <summary>
/// Who may know whom: Client → Silo → Grains, Diffusion and Storage, Client → the same three, and all of them the words that they
/// share. Grains never see a tensor, the diffusion core never sees a grain, and storage sees neither.
/// </summary>
public sealed class ArrowTests
{
    static readonly Dictionary<string, string[]> s_mayKnow = new()
    {
        ["Taba.Abstractions"] = [],
        ["Taba.Diffusion"] = ["Taba.Abstractions"],
        ["Taba.Grains"] = ["Taba.Abstractions"],
        ["Taba.Storage"] = ["Taba.Abstractions"],
        ["Taba.Silo"] = ["Taba.Grains", "Taba.Diffusion", "Taba.Storage", "Taba.Abstractions"],
        ["Taba.Client"] = ["Taba.Silo", "Taba.Grains", "Taba.Diffusion", "Taba.Storage", "Taba.Abstractions"],
    };

    public static TheoryData<string> Projects => [.. s_mayKnow.Keys];

    [Fact]
    public void Source_EveryProject_HasItsArrowsHere() => Assert.Equal(s_mayKnow.Keys.Order(), Repository.Folders("src"));

    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectFile_ItsReferences_FollowTheArrows(string project)
    {
        var references = SourceProject.Items(project, "ProjectReference").Select(
            r => Path.GetFileNameWithoutExtension(r.Replace('\\', '/')));
        Offenders.None(references.Except(s_mayKnow[project]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Assembly_WhatItUses_FollowsTheArrows(string project)
    {
        var used = SourceProject.Load(project).GetReferencedAssemblies().Select(a => a.Name!).Where(
            n => n.StartsWith("Taba.", StringComparison.Ordinal));
        Offenders.None(used.Except(s_mayKnow[project]));
    }

    /// <summary>Words need nothing but what makes their serializers.</summary>
    [Fact]
    public void Abstractions_WhatTheyUse_IsTheSerializer()
    {
        Offenders.None(SourceProject.Items("Taba.Abstractions", "PackageReference")
            .Except(["Microsoft.Orleans.Serialization", "Microsoft.Orleans.Serialization.Abstractions"]));
        Offenders.None(SourceProject.Load("Taba.Abstractions").GetReferencedAssemblies().Select(a => a.Name!)
            .Where(n => !n.StartsWith("System.", StringComparison.Ordinal) && !n.StartsWith(
                "Orleans.Serialization", StringComparison.Ordinal)));
    }

    [Fact]
    public void Grains_WhatTheyUse_HoldsNoTensorLibrary()
    {
        Assert.DoesNotContain(SourceProject.Items("Taba.Grains", "PackageReference"), IsTorch);
        Assert.DoesNotContain(SourceProject.Load("Taba.Grains").GetReferencedAssemblies(), a => IsTorch(a.Name!));
    }

    [Fact]
    public void Diffusion_WhatItUses_HoldsNoOrleans()
    {
        Assert.DoesNotContain(SourceProject.Items("Taba.Diffusion", "PackageReference"), IsOrleans);
        Assert.DoesNotContain(SourceProject.Load("Taba.Diffusion").GetReferencedAssemblies(), a => IsOrleans(a.Name!));
    }

    /// <summary>Ports are where grains meet tensors: interfaces that the silo implements, and nothing that could hold one.</summary>
    [Fact]
    public void Ports_OfTheGrains_AreInterfacesThatTheSiloImplements()
    {
        var ports = SourceProject.Load("Taba.Grains").GetTypes().Where(
            t => t is { Namespace: "Taba.Grains.Ports", IsInterface: true }).ToList();
        var silo = SourceProject.Load("Taba.Silo").GetTypes().Where(t => t is { IsClass: true, IsAbstract: false }).ToList();
        Assert.NotEmpty(ports);
        Assert.All(ports, port => Assert.True(silo.Exists(port.IsAssignableFrom), $"Taba.Silo does not implement {port.Name}"));
    }

    /// <summary>Others call a grain by its interface: a class that is seen outside would be called past the runtime.</summary>
    [Fact]
    public void GrainClasses_AllOfThem_AreHiddenAndSealed()
    {
        var grains = SourceProject.Load("Taba.Grains").GetTypes().Where(t => t.IsClass && IsGrain(t)).ToList();
        Assert.NotEmpty(grains);
        Assert.All(grains, t => Assert.True(t is { IsSealed: true, IsNotPublic: true }, $"{t.Name} must be internal and sealed"));
    }

    static bool IsGrain(Type type)
    {
        for (var t = type.BaseType; t is not null; t = t.BaseType)
        {
            if (t.FullName == "Orleans.Grain")
                return true;
        }
        return false;
    }

    static bool IsTorch(string name) => name.Contains("torch", StringComparison.OrdinalIgnoreCase);

    static bool IsOrleans(string name) => name.Contains("orleans", StringComparison.OrdinalIgnoreCase);
}
