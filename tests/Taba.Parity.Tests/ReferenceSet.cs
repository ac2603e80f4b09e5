using Taba.Testing;

namespace Taba.Parity.Tests;

/// <summary>
/// The golden tensors that these tests find their cases in: the folder that TABA_FIXTURES names, or the working tree's own. Nothing here
/// knows a case by its name, so that any set of the layout of fixtures/INDEX.md is followed, also one without some families.
/// </summary>
static class ReferenceSet
{
    const string Variable = "TABA_FIXTURES";

    static readonly Lazy<string> s_root = new(FindRoot);

    /// <summary>The folder that holds models/, schedulers/, e2e/ and so on; absolute.</summary>
    public static string Root => s_root.Value;

    /// <summary>A file or folder below <see cref="Root"/>, given with forward slashes.</summary>
    public static string At(string relative) => Path.Combine(Root, relative.Replace('/', Path.DirectorySeparatorChar));

    /// <inheritdoc cref="Fixtures.Cases(string, string)"/>
    public static IEnumerable<string> Cases(string under, string fileName) => Fixtures.CasesIn(Root, under, fileName);

    /// <summary>The cases of models whose folder holds all these components.</summary>
    public static TheoryData<string> Models(string pipeline, params string[] components) =>
    [
        .. Cases("models", "case.json").Where(
            name => Pipeline(name) == pipeline && components.All(c => Directory.Exists(At($"{name}/{c}")))),
    ];

    /// <summary>Each case in the form that a command computes by default, and operation by operation.</summary>
    public static TheoryData<string, NetworkForm> InBothForms(IEnumerable<string> cases)
    {
        var data = new TheoryData<string, NetworkForm>();
        foreach (var name in cases)
        {
            data.Add(name, NetworkForm.Fast);
            data.Add(name, NetworkForm.Plain);
        }
        return data;
    }

    /// <inheritdoc cref="InBothForms(IEnumerable{string})"/>
    public static TheoryData<string, NetworkForm> InBothForms(TheoryData<string> cases) => InBothForms(cases.Select(c => c.Data));

    static string? Pipeline(string name)
    {
        var index = At($"{name}/model_index.json");
        if (!File.Exists(index))
            return null;
        using var document = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(index));
        return document.RootElement.GetProperty("_class_name").GetString();
    }

    static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } given)
            return Fixtures.Root;
        return Directory.Exists(given)
            ? Path.GetFullPath(given)
            : throw new DirectoryNotFoundException($"{Variable} names {given}, which is not a folder.");
    }
}
