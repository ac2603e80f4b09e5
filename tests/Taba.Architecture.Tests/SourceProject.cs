using System.Reflection;
using System.Xml.Linq;

namespace Taba.Architecture.Tests;

/// <summary>A project of <c>src</c>: its file, and the assembly that is built from it.</summary>
static class SourceProject
{
    public static IEnumerable<string> Items(string project, string item) =>
        File(project).Descendants(item).Select(i => i.Attribute("Include")!.Value);

    public static Assembly Load(string project) => Assembly.Load(new AssemblyName(Property(project, "AssemblyName") ?? project));

    public static string RootNamespace(string project) => Property(project, "RootNamespace") ?? project;

    static string? Property(string project, string name) => File(project).Descendants(name).FirstOrDefault()?.Value;

    static XDocument File(string project) => XDocument.Parse(Repository.Read($"src/{project}/{project}.csproj"));
}
