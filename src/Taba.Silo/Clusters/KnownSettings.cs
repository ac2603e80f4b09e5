using System.ComponentModel;
using Taba.Grains;
using Taba.Grains.Stages;
using Taba.Grains.Upkeep;
using Taba.Grains.Words;
using Taba.Silo.Engines;
using Taba.Silo.Telemetry;
using Taba.Silo.Web;
using Taba.Silo.Workers;
using Taba.Storage.Checkpoints;

namespace Taba.Silo.Clusters;

/// <summary>All settings there are. What is bound to a class leaves out what that class does not have, and says nothing.</summary>
static class KnownSettings
{
    static readonly Dictionary<string, Type> s_sections = new(StringComparer.OrdinalIgnoreCase)
    {
        [EngineSettings.Section] = typeof(EngineSettings),
        [LeaseOptions.Section] = typeof(LeaseOptions),
        [VerifyOptions.Section] = typeof(VerifyOptions),
        [WorkerSettings.Section] = typeof(WorkerSettings),
        [CheckpointOptions.Section] = typeof(CheckpointOptions),
        [StoreUpkeepOptions.Section] = typeof(StoreUpkeepOptions),
        [LoggingSettings.Section] = typeof(LoggingSettings),
        [WebSettings.Section] = typeof(WebSettings),
    };

    /// <exception cref="BadInputException">A key is unknown, or its value of another type; the nearest key is given.</exception>
    public static void Require(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        foreach (var (key, value) in settings.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var parts = key.Split(':');
            if (parts.Length > 1)
                RequireKnown(key, parts, value);
        }
    }

    static void RequireKnown(string key, string[] parts, string? value)
    {
        if (key.Equals(ClusterSettings.DefaultKey, StringComparison.OrdinalIgnoreCase))
            return;
        var section = $"{parts[0]}:{parts[1]}";
        if (section.Equals(TabaClusterOptions.Section, StringComparison.OrdinalIgnoreCase))
            RequireMember(key, typeof(TabaClusterOptions), parts, 3, value);
        else if (s_sections.TryGetValue(section, out var type))
            RequireMember(key, type, parts, 2, value);
        else
            throw Unknown(key, parts[1], [.. s_sections.Keys.Append(TabaClusterOptions.Section).Append(ClusterSettings.DefaultKey).Select(
                known => known[(known.IndexOf(':', StringComparison.Ordinal) + 1)..])]);
    }

    /// <summary>Walks from a section's class to the value, from part <paramref name="at"/> of the key on.</summary>
    static void RequireMember(string key, Type type, string[] parts, int at, string? value)
    {
        for (; at < parts.Length; at++)
        {
            var members = type.GetProperties().Where(p => p.SetMethod is { IsPublic: true, IsStatic: false }).ToList();
            if (IsValue(type))
                throw new BadInputException($"{string.Join(':', parts[..at])} is one value, and {key} is below it.");
            type = members.Find(p => p.Name.Equals(parts[at], StringComparison.OrdinalIgnoreCase))?.PropertyType
                ?? throw Unknown(key, parts[at], [.. members.Select(p => p.Name)]);
        }
        if (string.IsNullOrEmpty(value))
            return;
        if (!IsValue(type))
            throw new BadInputException($"{key} is a section and not a value: give {key}:NAME.");
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        // Texts are not shown: they may be secrets, and each is one.
        if (plain != typeof(string) && !TypeDescriptor.GetConverter(plain).IsValid(value))
            throw new BadInputException($"{key} is '{value}': expected {Expected(plain)}.");
    }

    static bool IsValue(Type type) => type == typeof(string) || (Nullable.GetUnderlyingType(type) ?? type).IsValueType;

    static string Expected(Type type) =>
        type == typeof(bool) ? "true or false"
        : type == typeof(TimeSpan) ? "a time, such as 00:00:30"
        : type.IsEnum ? string.Join(", ", Enum.GetNames(type))
        : type == typeof(double) ? "a number"
        : "a whole number";

    static BadInputException Unknown(string key, string part, IReadOnlyCollection<string> known) =>
        new($"{key} is no setting of taba.{UnknownWords.Hint(part, known)}");
}
