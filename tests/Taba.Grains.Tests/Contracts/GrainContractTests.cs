using System.Reflection;
using Orleans.Concurrency;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Contracts;

/// <summary>Silos of two versions talk to each other, and state outlives both: what they agree on is in a snapshot.</summary>
public sealed class GrainContractTests
{
    static readonly Assembly s_grains = typeof(IStageGrain).Assembly;

    static readonly List<Type> s_interfaces =
        [.. s_grains.GetTypes().Where(t => t is { IsInterface: true } && typeof(IGrain).IsAssignableFrom(t)).OrderBy(
            t => t.Name, StringComparer.Ordinal)];

    /// <summary>The words that all share travel too.</summary>
    static readonly Assembly s_words = typeof(RowRange).Assembly;

    static readonly List<Type> s_serializable =
        [.. s_grains.GetTypes().Concat(s_words.GetTypes()).Where(
            t => t.GetCustomAttribute<GenerateSerializerAttribute>(inherit: false) is not null
                && t.Namespace?.StartsWith("Taba", StringComparison.Ordinal) == true).OrderBy(t => t.FullName, StringComparer.Ordinal)];

    [Fact]
    public void Interfaces_AndTheirMethods_AreThoseOfTheSnapshot() =>
        Golden.Verify("grain-contract.txt", s_interfaces.SelectMany(type => new[]
        {
            $"{type.FullName} alias {Alias(type)}",
        }
        .Concat(type.GetMethods().OrderBy(m => m.Name, StringComparer.Ordinal).Select(m =>
            $"  {Alias(m)}: {Name(m.ReturnType)} {m.Name}({string.Join(", ", m.GetParameters().Select(p => $"{Name(p.ParameterType)} "
                + $"{p.Name}"))})"
            + (m.GetCustomAttribute<AlwaysInterleaveAttribute>() is null ? "" : " interleaves")))));

    [Fact]
    public void SerializableTypes_AndTheirMembers_AreThoseOfTheSnapshot() =>
        Golden.Verify("serialized-types.txt", s_serializable.SelectMany(type => new[] { $"{type.FullName} alias {Alias(type)}" }
            .Concat(Members(type).Select((m, i) => $"  {m.Id?.ToString() ?? $"{i} by position"}: {Name(m.Type)} {m.Name}"))));

    [Fact]
    public void InterfacesAndMethods_Aliases_ArePresentAndUnique()
    {
        Assert.All(s_interfaces, t => Assert.StartsWith("taba.", Alias(t), StringComparison.Ordinal));
        Assert.Equal(s_interfaces.Count, s_interfaces.Select(Alias).Distinct().Count());
        Assert.All(s_interfaces, t => Assert.Equal(
            t.GetMethods().Length, t.GetMethods().Select(m => Alias(m)).Where(a => a.Length > 0).Distinct().Count()));
    }

    [Fact]
    public void SerializableTypes_Aliases_ArePresentAndUnique()
    {
        Assert.All(s_serializable, t => Assert.StartsWith("taba.", Alias(t), StringComparison.Ordinal));
        Assert.Equal(s_serializable.Count, s_serializable.Select(Alias).Distinct().Count());
    }

    /// <summary>A settable property without an id is silently lost on the way. A record's parameters have their position.</summary>
    [Fact]
    public void SerializableTypes_Members_HaveIdsOfTheirOwn() => Assert.All(s_serializable, type =>
    {
        var positional = Parameters(type);
        var lost = OwnProperties(type).Where(p => p.SetMethod is not null && Id(p) is null && !positional.Contains(p.Name)).Select(
            p => p.Name);
        Assert.True(!lost.Any(), $"{type.Name}.{string.Join(", ", lost)} has no [Id]");
        var ids = OwnProperties(type).Select(Id).Where(id => id is not null).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
    });

    [Fact]
    public void TypesInSignatures_OfTaba_AreSerializable()
    {
        var used = s_interfaces.SelectMany(t => t.GetMethods()).SelectMany(
            m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType))
            .SelectMany(Flatten).Where(t => (t.Assembly == s_grains || t.Assembly == s_words) && !t.IsEnum).Distinct();
        Assert.All(used, t => Assert.True(s_serializable.Contains(t), $"{t.Name} travels between grains and is not serializable"));
    }

    /// <summary>Messages are shared between grains of a silo without a copy: that is only safe when nobody can change them.</summary>
    [Fact]
    public void TypesInSignatures_OfTaba_AreImmutable()
    {
        var used = s_interfaces.SelectMany(t => t.GetMethods()).SelectMany(
            m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType))
            .SelectMany(Flatten).Where(t => (t.Assembly == s_grains || t.Assembly == s_words) && !t.IsEnum).Distinct();
        Assert.All(used, t =>
        {
            Assert.True(t.GetCustomAttribute<ImmutableAttribute>() is not null, $"{t.Name} travels between grains and is not [Immutable]");
            Assert.All(OwnProperties(t).Where(p => p.SetMethod is not null), p =>
                Assert.Contains(
                    typeof(System.Runtime.CompilerServices.IsExternalInit), p.SetMethod!.ReturnParameter.GetRequiredCustomModifiers()));
        });
    }

    static IEnumerable<(uint? Id, Type Type, string Name)> Members(Type type) =>
        OwnProperties(type).Where(p => Id(p) is not null || Parameters(type).Contains(p.Name))
            .OrderBy(p => Id(p) ?? 0).ThenBy(p => Parameters(type).IndexOf(p.Name))
            .Select(p => (Id(p), p.PropertyType, p.Name));

    static IEnumerable<PropertyInfo> OwnProperties(Type type) =>
        type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Where(
            p => p.Name != "EqualityContract");

    /// <summary>Parameters of a record's primary constructor, which are its properties.</summary>
    static List<string> Parameters(Type type) =>
        [.. type.GetConstructors().Where(
            c => c.GetParameters().Length > 0 && c.GetParameters().All(p => type.GetProperty(p.Name!)?.PropertyType == p.ParameterType))
            .SelectMany(c => c.GetParameters()).Select(p => p.Name!)];

    static uint? Id(PropertyInfo property) => property.GetCustomAttribute<IdAttribute>()?.Id;

    static string Alias(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias ?? "";

    static IEnumerable<Type> Flatten(Type type) => type.GetGenericArguments().SelectMany(Flatten).Append(type);

    static string Name(Type type) => type switch
    {
        { IsArray: true } => $"{Name(type.GetElementType()!)}[]",
        { IsGenericType: true } when Nullable.GetUnderlyingType(type) is { } value => $"{Name(value)}?",
        { IsGenericType: true } => $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>",
        _ => type.Name,
    };
}
